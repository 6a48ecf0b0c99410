// SPDX-License-Identifier: Apache-2.0
//
//! storage-rust: the boundary.  Each operation turns the host's pointers into Rust, calls
//! storage.rs, and turns what comes back into the host's structures.  No panic crosses it.

mod abi;
mod storage;

use std::ffi::{CStr, CString};
use std::mem::size_of;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use abi::*;
use storage::{fail, Facts, Failure, Listing, Outcome};

const PAGE_MAX: u32 = 1000;

/// Fixed arrays of the ABI: cut to what fits, at a character's edge, with a NUL behind it.
fn fill(out: &mut [u8], text: &str) {
    let mut n = text.len().min(out.len() - 1);
    while !text.is_char_boundary(n) {
        n -= 1;
    }
    out[..n].copy_from_slice(&text.as_bytes()[..n]);
    out[n] = 0;
}

/// A text that names something: half of it would name something else.
fn fill_whole(out: &mut [u8], text: &str) {
    fill(out, if text.len() < out.len() - 1 { text } else { "" });
}

unsafe fn tell(error: *mut Error, failure: &Failure) -> i32 {
    let error = &mut *error;
    error.cls = failure.cls;
    error.sys_errno = failure.errno;
    fill(&mut error.message, &failure.text.replace(|c: char| c.is_control(), "?"));
    failure.cls
}

/// Runs an operation.  A panic is a bug of ours, and the host's error, not its end.
unsafe fn guard(error: *mut Error, operation: impl FnOnce() -> Outcome<()>) -> i32 {
    let outcome = catch_unwind(AssertUnwindSafe(operation));
    match outcome.unwrap_or_else(|_| fail(PERMANENT, "the plugin panicked".to_string())) {
        Ok(()) => OK,
        Err(failure) => tell(error, &failure),
    }
}

/// Text that the host lends for the call.
unsafe fn text<'a>(pointer: *const c_char) -> Outcome<&'a str> {
    match CStr::from_ptr(pointer).to_str() {
        Ok(text) => Ok(text),
        Err(_) => fail(INVALID, "a text is not UTF-8".to_string()),
    }
}

unsafe fn maybe_text<'a>(pointer: *const c_char) -> Outcome<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    text(pointer).map(Some)
}

fn known(flags: u32, ours: u32) -> Outcome<()> {
    if flags & !ours != 0 {
        return fail(INVALID, format!("unknown flags: {}", flags));
    }
    Ok(())
}

/// Whole at the size that these headers know, which no host of this major is below.
unsafe fn put_meta(out: *mut Meta, facts: &Facts) {
    let out = &mut *out;
    out.size = facts.size;
    out.mtime_ns = facts.mtime_ns;
    fill_whole(&mut out.etag, &facts.etag);
}

unsafe extern "C" fn open(
    host: *const Host, _op: *const Op, config: *const c_void, out: *mut *mut Storage,
    error: *mut Error,
) -> i32 {
    guard(error, || {
        let root = ((*host).config_get)(config, b"root\0".as_ptr() as *const c_char);
        let root = maybe_text(root)?.unwrap_or("");
        if !root.starts_with('/') {
            return fail(INVALID, "setting root is missing, or no absolute path".to_string());
        }
        *out = Box::into_raw(Box::new(Storage::open(root, (*host).cancelled)));
        Ok(())
    })
}

unsafe extern "C" fn close(storage: *mut Storage) {
    drop(Box::from_raw(storage));
}

unsafe extern "C" fn info(storage: *mut Storage, out: *mut Info, _error: *mut Error) -> i32 {
    let out = &mut *out;
    let root = (*storage).root();
    out.caps = CAP_RANGE_READ
        | CAP_ATOMIC_REPLACE
        | CAP_IF_NONE_MATCH
        | CAP_LIST_SORTED
        | CAP_UNKNOWN_SIZE
        | CAP_STRONG_LIST;
    out.max_object = UNKNOWN;
    out.max_copy = 0;
    out.max_list = PAGE_MAX;
    out.max_key_part = 255;
    out.best_io = 1 << 20;
    fill_whole(&mut out.identity, &format!("rust:{}", root.trim_end_matches('/')));
    fill_whole(&mut out.local_root, &root);
    OK
}

unsafe extern "C" fn probe(
    storage: *mut Storage, _op: *const Op, args: *const ProbeArgs, error: *mut Error,
) -> i32 {
    guard(error, || {
        let need = (*args).need;
        known(need, NEEDS)?;
        if need & NEED_SERVER_READ != 0 {
            return fail(UNSUPPORTED, "who else may read is not looked at".to_string());
        }
        (*storage).probe(need & (NEED_WRITE | NEED_EXCLUSIVE) != 0)
    })
}

unsafe extern "C" fn stat(
    storage: *mut Storage, _op: *const Op, key: *const c_char, out: *mut Meta, error: *mut Error,
) -> i32 {
    guard(error, || {
        put_meta(out, &(*storage).stat(text(key)?)?);
        Ok(())
    })
}

unsafe fn pass_page(
    page: &storage::Page, sink: &ListSink,
) -> Outcome<()> {
    let mut last = CString::default();
    let mut stop = 0;
    for (name, facts) in &page.found {
        last = CString::new(name.as_str()).unwrap_or_default();
        stop = match facts {
            None => (sink.prefix)(sink.ctx, last.as_ptr()),
            Some(facts) => {
                let mut meta: Meta = std::mem::zeroed();
                meta.struct_size = size_of::<Meta>() as u32;
                put_meta(&mut meta, facts);
                (sink.entry)(sink.ctx, last.as_ptr(), &meta)
            }
        };
        if stop != 0 {
            break;
        }
    }
    if stop == 0 && page.more {
        stop = (sink.next)(sink.ctx, last.as_ptr());
    }
    if stop != 0 {
        return fail(CANCELLED, "the listing was stopped".to_string());
    }
    Ok(())
}

unsafe extern "C" fn list(
    storage: *mut Storage, op: *const Op, args: *const ListArgs, sink: *const ListSink,
    error: *mut Error,
) -> i32 {
    guard(error, || {
        let args = &*args;
        known(args.flags, 0)?;
        let listing = Listing {
            prefix: text(args.prefix)?,
            after: maybe_text(args.token)?.or(maybe_text(args.start_after)?).unwrap_or(""),
            grouped: args.delimiter != 0,
            max: args.max.min(PAGE_MAX) as usize,
        };
        let stop = || ((*storage).cancelled)(op) != 0;
        pass_page(&(*storage).list(&listing, &stop)?, &*sink)
    })
}

unsafe extern "C" fn read_open(
    storage: *mut Storage, _op: *const Op, args: *const ReadArgs, meta: *mut Meta,
    out: *mut *mut Reader, error: *mut Error,
) -> i32 {
    guard(error, || {
        let args = &*args;
        known(args.flags, 0)?;
        let if_match = maybe_text(args.if_match)?;
        let (reader, facts) =
            (*storage).read_open(text(args.key)?, args.offset, args.length, if_match)?;
        put_meta(meta, &facts);
        *out = Box::into_raw(Box::new(reader));
        Ok(())
    })
}

unsafe extern "C" fn read(
    reader: *mut Reader, _op: *const Op, buffer: *mut c_void, cap: usize, n: *mut usize,
    error: *mut Error,
) -> i32 {
    guard(error, || {
        *n = 0;
        // The host's buffer may never have been written to; reading files only writes to it.
        *n = (*reader).read(std::slice::from_raw_parts_mut(buffer as *mut u8, cap))?;
        Ok(())
    })
}

unsafe extern "C" fn read_close(reader: *mut Reader) {
    drop(Box::from_raw(reader));
}

unsafe extern "C" fn write_open(
    storage: *mut Storage, _op: *const Op, args: *const WriteArgs, out: *mut *mut Writer,
    error: *mut Error,
) -> i32 {
    guard(error, || {
        let args = &*args;
        known(args.flags, WRITE_IF_NONE_MATCH | WRITE_DURABLE)?;
        if !args.if_match.is_null() || args.checksum.kind != 0 {
            return fail(UNSUPPORTED, "no condition or checksum was promised".to_string());
        }
        let exclusive = args.flags & WRITE_IF_NONE_MATCH != 0;
        let writer = (*storage).write_open(text(args.key)?, exclusive)?;
        *out = Box::into_raw(Box::new(writer));
        Ok(())
    })
}

unsafe extern "C" fn write(
    writer: *mut Writer, _op: *const Op, bytes: *const c_void, n: usize, error: *mut Error,
) -> i32 {
    guard(error, || (*writer).write(std::slice::from_raw_parts(bytes as *const u8, n)))
}

unsafe extern "C" fn write_commit(
    writer: *mut Writer, _op: *const Op, out: *mut Meta, error: *mut Error,
) -> i32 {
    guard(error, || {
        put_meta(out, &Box::from_raw(writer).commit()?);
        Ok(())
    })
}

unsafe extern "C" fn write_abort(writer: *mut Writer, _op: *const Op) {
    Box::from_raw(writer).abort();
}

unsafe extern "C" fn remove(
    storage: *mut Storage, _op: *const Op, key: *const c_char, if_match: *const c_char,
    error: *mut Error,
) -> i32 {
    guard(error, || {
        if !if_match.is_null() {
            return fail(UNSUPPORTED, "no condition was promised".to_string());
        }
        (*storage).remove(text(key)?)
    })
}

static OPS: Constant<StorageOps> = Constant(StorageOps {
    struct_size: size_of::<StorageOps>() as u32,
    reserved: 0,
    open,
    close,
    info,
    probe,
    stat,
    list,
    read_open,
    read,
    read_close,
    write_open,
    write,
    write_commit,
    write_abort,
    remove,
});

static KEYS: Constant<[ConfigKey; 1]> = Constant([ConfigKey {
    name: b"root\0".as_ptr() as *const c_char,
    kind: CONFIG_PATH,
    flags: CONFIG_REQUIRED,
    def: ptr::null(),
    min: 0,
    max: 0,
    choices: ptr::null(),
    unit: ptr::null(),
    alias: ptr::null(),
    flag: ptr::null(),
    help: b"directory that holds the objects; it has to exist\0".as_ptr() as *const c_char,
}]);

static PLUGIN: Constant<Plugin> = Constant(Plugin {
    struct_size: size_of::<Plugin>() as u32,
    abi_major: 1,
    abi_minor: 0,
    min_host_minor: 0,
    thread_model: THREADS_PARALLEL,
    max_parallel: 0,
    name: b"rust\0".as_ptr() as *const c_char,
    version: b"1.0\0".as_ptr() as *const c_char,
    summary: b"files below a directory, written in Rust\0".as_ptr() as *const c_char,
    license: b"Apache-2.0\0".as_ptr() as *const c_char,
    keys: &KEYS.0[0],
    key_stride: size_of::<ConfigKey>() as u32,
    n_keys: 1,
    storage: &OPS.0,
    source: ptr::null(),
    init: ptr::null(),
    fini: ptr::null(),
});

/// The entry: an address, and nothing else happens.
///
/// # Safety
/// Called by the host, with pointers that are valid for the call.
#[no_mangle]
pub unsafe extern "C" fn bp_plugin_entry_v1(
    _host: *const Host, out: *mut *const Plugin, _error: *mut Error,
) -> i32 {
    *out = &PLUGIN.0;
    OK
}
