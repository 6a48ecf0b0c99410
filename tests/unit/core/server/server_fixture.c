/* SPDX-License-Identifier: Apache-2.0
 *
 * See server_fixture.h.
 */
#include "tests/unit/core/server/server_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int
client_connect(guint16 port)
{
    struct sockaddr_in where = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    return fd;
}

void
client_send(int fd, const char *text)
{
    gsize left = strlen(text);
    while (left > 0) {
        ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        text += n;
        left -= (gsize)n;
    }
}

char *
client_read(int fd)
{
    GString *all = g_string_new(NULL);
    char buffer[4096];
    ssize_t n = 0;
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        g_string_append_len(all, buffer, n);
    }
    close(fd);
    return g_string_free(all, FALSE);
}

void
client_expect(int fd, const char *text)
{
    g_autoptr(GString) all = g_string_new(NULL);
    char byte = 0;
    while (strstr(all->str, text) == NULL) {
        ck_assert_msg(recv(fd, &byte, 1, 0) == 1, "ends with \"%s\"", all->str);
        g_string_append_c(all, byte);
    }
}

char *
client_ask(guint16 port, const char *text)
{
    int fd = client_connect(port);
    client_send(fd, text);
    return client_read(fd);
}
