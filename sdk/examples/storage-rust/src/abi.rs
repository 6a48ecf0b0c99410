// SPDX-License-Identifier: Apache-2.0
//
//! What this plugin needs of bakplane/*.h, by hand: there is no generated binding to trust.  The
//! sizes at the end are those of the headers on 64-bit machines; a mistake does not compile.

use std::mem::size_of;
use std::os::raw::{c_char, c_void};

pub const OK: i32 = 0;
pub const CANCELLED: i32 = 1;
pub const RETRYABLE: i32 = 3;
pub const DENIED: i32 = 6;
pub const NOT_FOUND: i32 = 7;
pub const EXISTS: i32 = 8;
pub const RANGE: i32 = 9;
pub const INVALID: i32 = 10;
pub const UNSUPPORTED: i32 = 11;
pub const NO_SPACE: i32 = 12;
pub const PERMANENT: i32 = 16;

pub const UNKNOWN: u64 = u64::MAX;

pub const CAP_RANGE_READ: u64 = 1 << 0;
pub const CAP_ATOMIC_REPLACE: u64 = 1 << 1;
pub const CAP_IF_NONE_MATCH: u64 = 1 << 2;
pub const CAP_LIST_SORTED: u64 = 1 << 4;
pub const CAP_UNKNOWN_SIZE: u64 = 1 << 10;
pub const CAP_STRONG_LIST: u64 = 1 << 14;

pub const NEED_WRITE: u32 = 4;
pub const NEED_EXCLUSIVE: u32 = 8;
pub const NEED_SERVER_READ: u32 = 16;
pub const NEEDS: u32 = 31; // LIST and READ, too
pub const WRITE_IF_NONE_MATCH: u32 = 1;
pub const WRITE_DURABLE: u32 = 2;

pub const CONFIG_PATH: u32 = 6;
pub const CONFIG_REQUIRED: u32 = 1;
pub const THREADS_PARALLEL: u16 = 2;

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub cls: i32,
    pub flags: u32,
    pub sys_errno: i32,
    pub remote_status: i32,
    pub reserved: u32,
    pub retry_after_ms: u64,
    pub code: [u8; 64],
    pub request_id: [u8; 96],
    pub message: [u8; 512],
}

#[repr(C)]
pub struct Op {
    pub struct_size: u32,
    pub flags: u32,
    pub deadline_ns: i64,
    pub host_private: *const c_void,
}

/// As far as it is used: the host's own table goes on.
#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub host_version: *const c_char,
    unused: [*const c_void; 5], // log, log_enabled, alloc, realloc, free
    pub config_get: unsafe extern "C" fn(*const c_void, *const c_char) -> *const c_char,
    unused_lists: [*const c_void; 2], // config_count, config_at
    pub cancelled: unsafe extern "C" fn(*const Op) -> i32,
}

#[repr(C)]
pub struct Checksum {
    pub kind: u32,
    pub by: u32,
    pub value: [u8; 64],
}

#[repr(C)]
pub struct Meta {
    pub struct_size: u32,
    pub reserved: u32,
    pub size: u64,
    pub mtime_ns: i64,
    pub etag: [u8; 128],
    pub storage_class: [u8; 32],
    pub checksum: Checksum,
}

#[repr(C)]
pub struct Info {
    pub struct_size: u32,
    pub reserved: u32,
    pub caps: u64,
    pub min_part: u64,
    pub max_part: u64,
    pub max_parts: u64,
    pub max_object: u64,
    pub max_copy: u64,
    pub max_list: u32,
    pub max_key_part: u32,
    pub best_io: u64,
    pub identity: [u8; 2176],
    pub copy_scope: [u8; 512],
    pub local_root: [u8; 1088],
    pub server_root: [u8; 1088],
    pub place: [u8; 512],
}

#[repr(C)]
pub struct ProbeArgs {
    pub struct_size: u32,
    pub need: u32,
    pub prefix: *const c_char,
    pub server_path: *const c_char,
}

#[repr(C)]
pub struct ListArgs {
    pub struct_size: u32,
    pub flags: u32,
    pub prefix: *const c_char,
    pub start_after: *const c_char,
    pub token: *const c_char,
    pub max: u32,
    pub delimiter: i32,
}

#[repr(C)]
pub struct ListSink {
    pub struct_size: u32,
    pub reserved: u32,
    pub ctx: *mut c_void,
    pub entry: unsafe extern "C" fn(*mut c_void, *const c_char, *const Meta) -> i32,
    pub prefix: unsafe extern "C" fn(*mut c_void, *const c_char) -> i32,
    pub next: unsafe extern "C" fn(*mut c_void, *const c_char) -> i32,
}

#[repr(C)]
pub struct ReadArgs {
    pub struct_size: u32,
    pub flags: u32,
    pub key: *const c_char,
    pub offset: u64,
    pub length: u64,
    pub if_match: *const c_char,
}

#[repr(C)]
pub struct WriteArgs {
    pub struct_size: u32,
    pub flags: u32,
    pub key: *const c_char,
    pub size: u64,
    pub if_match: *const c_char,
    pub checksum: Checksum,
}

#[repr(C)]
pub struct ConfigKey {
    pub name: *const c_char,
    pub kind: u32,
    pub flags: u32,
    pub def: *const c_char,
    pub min: i64,
    pub max: i64,
    pub choices: *const c_char,
    pub unit: *const c_char,
    pub alias: *const c_char,
    pub flag: *const c_char,
    pub help: *const c_char,
}

/// Opaque to the host: it holds pointers to our own.
pub type Storage = crate::storage::Storage;
pub type Reader = crate::storage::Reader;
pub type Writer = crate::storage::Writer;

/// The required operations.  It ends where the optional ones begin, and says so by its size.
#[repr(C)]
pub struct StorageOps {
    pub struct_size: u32,
    pub reserved: u32,
    pub open: unsafe extern "C" fn(
        *const Host, *const Op, *const c_void, *mut *mut Storage, *mut Error) -> i32,
    pub close: unsafe extern "C" fn(*mut Storage),
    pub info: unsafe extern "C" fn(*mut Storage, *mut Info, *mut Error) -> i32,
    pub probe: unsafe extern "C" fn(
        *mut Storage, *const Op, *const ProbeArgs, *mut Error) -> i32,
    pub stat: unsafe extern "C" fn(
        *mut Storage, *const Op, *const c_char, *mut Meta, *mut Error) -> i32,
    pub list: unsafe extern "C" fn(
        *mut Storage, *const Op, *const ListArgs, *const ListSink, *mut Error) -> i32,
    pub read_open: unsafe extern "C" fn(
        *mut Storage, *const Op, *const ReadArgs, *mut Meta, *mut *mut Reader, *mut Error) -> i32,
    pub read: unsafe extern "C" fn(
        *mut Reader, *const Op, *mut c_void, usize, *mut usize, *mut Error) -> i32,
    pub read_close: unsafe extern "C" fn(*mut Reader),
    pub write_open: unsafe extern "C" fn(
        *mut Storage, *const Op, *const WriteArgs, *mut *mut Writer, *mut Error) -> i32,
    pub write: unsafe extern "C" fn(
        *mut Writer, *const Op, *const c_void, usize, *mut Error) -> i32,
    pub write_commit: unsafe extern "C" fn(*mut Writer, *const Op, *mut Meta, *mut Error) -> i32,
    pub write_abort: unsafe extern "C" fn(*mut Writer, *const Op),
    pub remove: unsafe extern "C" fn(
        *mut Storage, *const Op, *const c_char, *const c_char, *mut Error) -> i32,
}

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub min_host_minor: u16,
    pub thread_model: u16,
    pub max_parallel: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub license: *const c_char,
    pub keys: *const ConfigKey,
    pub key_stride: u32,
    pub n_keys: u32,
    pub storage: *const StorageOps,
    pub source: *const c_void,
    pub init: *const c_void,
    pub fini: *const c_void,
}

/// Everything in it is constant, the pointers to it, too.
#[repr(transparent)]
pub struct Constant<T>(pub T);
unsafe impl<T> Sync for Constant<T> {}

const _: () = assert!(size_of::<Error>() == 704);
const _: () = assert!(size_of::<Op>() == 24);
const _: () = assert!(size_of::<Meta>() == 256);
const _: () = assert!(size_of::<Info>() == 5448);
const _: () = assert!(size_of::<ListArgs>() == 40);
const _: () = assert!(size_of::<ListSink>() == 40);
const _: () = assert!(size_of::<ReadArgs>() == 40);
const _: () = assert!(size_of::<WriteArgs>() == 104);
const _: () = assert!(size_of::<ConfigKey>() == 80);
const _: () = assert!(size_of::<Plugin>() == 96);
