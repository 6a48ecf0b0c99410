#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the gates close: each bad change makes the gates that it names fail, and no others.

Usage: test_gates.py CC

A change is made to a copy of the headers, or a plugin is built that does what no plugin may.  What is
allowed, appending, passes all gates but the record, which asks for the new lines.
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import abi
import cross
import symbols

CC = "cc"
STORAGE, HOST, ABI = "storage.h", "host.h", "abi.h"


def gate(name, include):
    """(passed, what it printed) of one gate on a folder of headers."""
    commands = {
        "layout": [sys.executable, "-B", abi.HERE / "layout.py", "--cc", CC, "--include", include],
        "probe": [sys.executable, "-B", abi.HERE / "probe.py", "--cc", CC, "--include", include],
        "headers": [abi.HERE / "headers.sh", Path(include).parent.parent, CC],
    }
    done = subprocess.run(commands[name], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


class Headers(unittest.TestCase):
    """Changes of the headers."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.include = Path(scratch.name, "sdk/include")
        shutil.copytree(abi.SDK_INCLUDE, self.include)

    def change(self, header, old, new):
        path = self.include / "bakplane" / header
        text = path.read_text("utf-8")
        self.assertEqual(text.count(old), 1, f"{header}: {old}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def expect_closed(self, *closed):
        for name in ("layout", "probe", "headers"):
            passed, said = gate(name, self.include)
            self.assertEqual(passed, name not in closed, f"{name}: {said}")
            if name in closed and name != "headers":
                self.assertIn("of ABI 1 changed", said)

    def test_unchanged(self):
        self.expect_closed()

    def test_member_inserted(self):
        self.change(STORAGE, "    const char *src_if_match; /**<",
                    "    uint64_t inserted;\n    const char *src_if_match; /**<")
        self.expect_closed("layout", "probe")

    def test_operation_inserted(self):
        self.change(STORAGE, "    void (*close)(struct bp_storage *storage);",
                    "    void (*inserted)(void);\n    void (*close)(struct bp_storage *storage);")
        self.expect_closed("layout", "probe")

    def test_member_removed(self):
        self.change(STORAGE, "    uint64_t total, available; /**<", "    uint64_t total; /**<")
        self.expect_closed("layout", "probe")

    def test_members_exchanged(self):
        self.change(STORAGE, "uint64_t offset, size; /**<", "uint64_t size, offset; /**<")
        self.expect_closed("layout", "probe")

    def test_text_lengthened(self):
        self.change(STORAGE, "char storage_class[32];", "char storage_class[48];")
        self.expect_closed("layout", "probe")

    def test_operation_with_other_arguments(self):
        """Of the same size, so that only types tell."""
        self.change(HOST, "void (*free)(void *memory);", "void (*free)(void *memory, size_t n);")
        self.expect_closed("probe")

    def test_operation_with_another_result(self):
        self.change(STORAGE, "int32_t (*text)(void *ctx, const char *text);",
                    "int64_t (*text)(void *ctx, const char *text);")
        self.expect_closed("probe")

    def test_member_of_another_sign(self):
        self.change(STORAGE, "int64_t mtime_ns;", "uint64_t mtime_ns;")
        self.expect_closed("probe")

    def test_flag_with_another_value(self):
        self.change(STORAGE, "#define BP_WRITE_DURABLE UINT32_C(2)",
                    "#define BP_WRITE_DURABLE UINT32_C(4)")
        self.expect_closed("layout")

    def test_class_inserted(self):
        self.change("error.h", "BP_ERR_AUTH = 5, ", "BP_ERR_LOGIN = 17, BP_ERR_AUTH = 18, ")
        self.expect_closed("layout")

    def test_words_of_cplusplus(self):
        self.change(STORAGE, "const char *if_match;        /**< NULL, or replace",
                    "const char *new;        /**< NULL, or replace")
        self.expect_closed("layout", "headers")

    def test_header_that_needs_another(self):
        self.change("config.h", "#include <bakplane/abi.h>", "")
        self.expect_closed("headers")

    def test_appending(self):
        with tempfile.TemporaryDirectory() as scratch:
            include = cross.future(Path(scratch)) / "sdk/include"
            for name in ("probe", "headers"):
                passed, said = gate(name, include)
                self.assertTrue(passed, said)
            passed, said = gate("layout", include)
            self.assertFalse(passed)
            self.assertIn("not yet in layout_v1.txt", said)
            for member in ("bp_storage_ops touch ", "bp_source_ops target_rewind ",
                           "bp_restore_pair later ", "bp_unit later "):
                self.assertIn(member, said)
            self.assertNotIn("bp_storage_ops open ", said)


class Binaries(unittest.TestCase):
    """Plugins that do what they may not, and hosts that changed."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def plugin(self, text, *flags):
        source = self.folder / "x.c"
        plugin = self.folder / "bakplane-storage-local.so"
        source.write_text("int bp_plugin_entry_v1(void);\n" + text, encoding="utf-8")
        subprocess.run([CC, "-fPIC", "-shared", "-Wl,--no-as-needed", "-o", plugin, source, *flags],
                       check=True)
        return list(symbols.problems_of(plugin, symbols.lists()))

    def test_as_it_should_be(self):
        self.assertEqual(self.plugin("int bp_plugin_entry_v1(void) { return 0; }"), [])

    def test_exports_more(self):
        problems = self.plugin("int bp_plugin_entry_v1(void) { return 0; }\nint more;\n")
        self.assertEqual(len(problems), 1)
        self.assertIn("exports bp_plugin_entry_v1 more", problems[0])

    def test_links_more(self):
        problems = self.plugin("int bp_plugin_entry_v1(void) { return 0; }", "-ldl", "-lresolv")
        self.assertEqual(len(problems), 1)
        self.assertIn("is linked with ", problems[0])
        self.assertIn("libresolv.so.2", problems[0])

    def test_changes_the_process(self):
        problems = self.plugin("#include <stdlib.h>\n#include <sys/stat.h>\n"
                               "int bp_plugin_entry_v1(void) { umask(0); exit(1); }\n")
        self.assertEqual(len(problems), 1)
        self.assertIn("calls exit umask", problems[0])

    def try_cross(self, header, old, new, kind="storage"):
        """A plugin of changed headers in the host of the recorded ones."""
        include = self.folder / "include"
        shutil.copytree(abi.SDK_INCLUDE, include)
        path = include / "bakplane" / header
        text = path.read_text("utf-8")
        self.assertEqual(text.count(old), 1)
        path.write_text(text.replace(old, new), encoding="utf-8")
        builder = cross.Builder(CC, self.folder)
        host = builder.host("old", abi.recorded()[0])
        plugin = (builder.source("bad", include, abi.TOP) if kind == "source" else
                  builder.plugin("bad", include, abi.TOP / "sdk/templates/storage"))
        cross.try_host(host, plugin, self.folder)

    def test_insertion_breaks_an_old_host(self):
        with self.assertRaisesRegex(SystemExit, "exit status -?[0-9]+"):
            self.try_cross(STORAGE, "    void (*close)(struct bp_storage *storage);",
                           "    void (*inserted)(void);\n"
                           "    void (*close)(struct bp_storage *storage);")

    def test_results_of_another_size_break_an_old_host(self):
        with self.assertRaisesRegex(SystemExit, "was written beyond its size|not so"):
            self.try_cross(STORAGE, "char etag[128];", "char before[216], etag[128];")

    def test_results_of_a_source_of_another_size_break_an_old_host(self):
        with self.assertRaisesRegex(SystemExit, "proof was written beyond its size"):
            self.try_cross("source.h", "    char note[256];     /**< how",
                           "    char before[300], note[256];     /**< how", "source")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        CC = sys.argv.pop(1)
    unittest.main()
