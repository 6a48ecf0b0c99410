/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions nobody here may call: unbounded string writers, parsers without error reporting,
 * functions with hidden static state, and GLib's threads and locks, which ThreadSanitizer cannot
 * see into.  Include this last in every .c: what is named below becomes a compile error from that
 * line on, also inside any header included later.
 */
#ifndef BAKPLANE_LIB_BAN_H
#define BAKPLANE_LIB_BAN_H

#ifdef __GNUC__

#pragma GCC poison strcpy strcat sprintf strncpy vsprintf gets
#pragma GCC poison strtok atoi atol atoll
#pragma GCC poison strerror localtime gmtime asctime ctime rand system

#pragma GCC poison GMutex GRecMutex GCond GRWLock GThread GThreadPool GAsyncQueue GMainLoop
#pragma GCC poison g_mutex_lock g_thread_new g_thread_pool_new g_async_queue_new g_main_loop_new
/* g_once and G_LOCK are macros, which cannot be poisoned once they exist; their types can. */
#pragma GCC poison GOnce g_once_impl g_mutex_init

#endif

#endif
