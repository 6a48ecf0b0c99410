// SPDX-License-Identifier: Apache-2.0
//
//! Objects as files below a directory, in ordinary Rust: no pointer of the host's gets here.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi;

/// Below the root: what is being written.  No key may begin with it.
const TEMPORARY: &str = ".writing";

/// A class of the ABI, the error number behind it or 0, and text for people.
pub struct Failure {
    pub cls: i32,
    pub errno: i32,
    pub text: String,
}
pub type Outcome<T> = Result<T, Failure>;

pub fn fail<T>(cls: i32, text: String) -> Outcome<T> {
    Err(Failure { cls, errno: 0, text })
}

/// The class decides what the host does next; see bakplane/error.h.
fn failed(what: &str, error: &io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or(0);
    let cls = match errno {
        1 | 13 | 30 => abi::DENIED,             // EPERM, EACCES, EROFS
        2 | 20 => abi::NOT_FOUND,               // ENOENT, ENOTDIR
        17 => abi::EXISTS,                      // EEXIST
        21 | 22 | 36 => abi::INVALID,           // EISDIR, EINVAL, ENAMETOOLONG
        28 | 122 => abi::NO_SPACE,              // ENOSPC, EDQUOT
        4 | 5 | 11 | 16 | 23 | 24 | 110 | 116 => abi::RETRYABLE, // EINTR, EIO, …, ESTALE
        _ => abi::PERMANENT,
    };
    Failure { cls, errno, text: format!("{}: {}", what, error) }
}

/// What is known of one object.
#[derive(Clone)]
pub struct Facts {
    pub size: u64,
    pub mtime_ns: i64,
    pub etag: String,
}

impl Facts {
    fn of(meta: &Metadata) -> Facts {
        let mtime_ns = meta.mtime() * 1_000_000_000 + meta.mtime_nsec();
        // Each commit makes a new file, so another inode or at least another time.
        let etag = format!("{}-{}-{}", meta.ino(), mtime_ns, meta.len());
        Facts { size: meta.len(), mtime_ns, etag }
    }
}

/// An instance.
pub struct Storage {
    pub cancelled: unsafe extern "C" fn(*const abi::Op) -> i32,
    root: PathBuf,
    serial: AtomicU64,
}

pub struct Reader {
    file: File,
    left: u64,
}

pub struct Writer {
    file: File,
    temporary: PathBuf,
    place: PathBuf,
    key: String,
    exclusive: bool,
}

/// One page of a listing: objects with their facts, groups without.
pub struct Page {
    pub found: BTreeMap<String, Option<Facts>>,
    pub more: bool,
}

pub struct Listing<'a> {
    pub prefix: &'a str,
    pub after: &'a str,
    pub grouped: bool,
    pub max: usize,
}

impl Storage {
    pub fn open(root: &str, cancelled: unsafe extern "C" fn(*const abi::Op) -> i32) -> Storage {
        Storage { cancelled, root: PathBuf::from(root), serial: AtomicU64::new(0) }
    }

    pub fn root(&self) -> String {
        self.root.to_string_lossy().into_owned()
    }

    /// The host has checked keys, and a plugin that makes paths of them checks again.
    fn place(&self, key: &str) -> Outcome<PathBuf> {
        let bad = |part: &str| part.is_empty() || part == "." || part == "..";
        if key.contains('\0') || key.split('/').any(bad) || key.split('/').next() == Some(TEMPORARY)
        {
            return fail(abi::INVALID, format!("key {}: it cannot be a file here", key));
        }
        Ok(self.root.join(key))
    }

    pub fn probe(&self, write: bool) -> Outcome<()> {
        fs::read_dir(&self.root).map_err(|e| failed(&self.root(), &e))?;
        if write {
            let mut writer = self.write_open("bakplane-probe", false)?;
            let written = writer.write(b"x");
            writer.abort();
            written?;
        }
        Ok(())
    }

    pub fn stat(&self, key: &str) -> Outcome<Facts> {
        match fs::symlink_metadata(self.place(key)?) {
            Ok(meta) if meta.is_file() => Ok(Facts::of(&meta)),
            Ok(_) => fail(abi::NOT_FOUND, format!("{}: there is no file", key)),
            Err(e) => Err(failed(key, &e)),
        }
    }

    pub fn read_open(
        &self, key: &str, offset: u64, length: u64, if_match: Option<&str>,
    ) -> Outcome<(Reader, Facts)> {
        self.stat(key)?; // no link, no directory
        let mut file = File::open(self.place(key)?).map_err(|e| failed(key, &e))?;
        let facts = Facts::of(&file.metadata().map_err(|e| failed(key, &e))?);
        if if_match.map_or(false, |etag| etag != facts.etag) {
            return fail(abi::EXISTS, format!("{}: it is another version now", key));
        }
        if offset > facts.size {
            return fail(abi::RANGE, format!("{}: it ends before byte {}", key, offset));
        }
        file.seek(SeekFrom::Start(offset)).map_err(|e| failed(key, &e))?;
        let left = length.min(facts.size - offset);
        Ok((Reader { file, left }, facts))
    }

    pub fn write_open(&self, key: &str, exclusive: bool) -> Outcome<Writer> {
        let place = self.place(key)?;
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let folder = self.root.join(TEMPORARY);
        let name = format!("{}-{:p}-{}", std::process::id(), self, serial);
        fs::create_dir_all(&folder).map_err(|e| failed(key, &e))?;
        let temporary = folder.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|e| failed(key, &e))?;
        Ok(Writer { file, temporary, place, key: key.to_string(), exclusive })
    }

    pub fn remove(&self, key: &str) -> Outcome<()> {
        match fs::remove_file(self.place(key)?).map_err(|e| failed(key, &e)) {
            Err(failure) if failure.cls != abi::NOT_FOUND => Err(failure),
            _ => Ok(()),
        }
    }

    /// Goes through the whole tree for each page and keeps no more of it than that page.
    pub fn list(&self, listing: &Listing, stop: &dyn Fn() -> bool) -> Outcome<Page> {
        let mut page = Page { found: BTreeMap::new(), more: false };
        self.walk(&self.root, "", listing, stop, &mut page)?;
        Ok(page)
    }

    fn walk(
        &self, folder: &Path, below: &str, listing: &Listing, stop: &dyn Fn() -> bool,
        page: &mut Page,
    ) -> Outcome<()> {
        let entries = match fs::read_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && !below.is_empty() => return Ok(()),
            entries => entries.map_err(|e| failed(&folder.to_string_lossy(), &e))?,
        };
        for entry in entries {
            let entry = entry.map_err(|e| failed(&folder.to_string_lossy(), &e))?;
            let name = match entry.file_name().into_string() {
                Ok(name) if !below.is_empty() || name != TEMPORARY => name,
                _ => continue, // not written by us
            };
            if stop() {
                return fail(abi::CANCELLED, "the listing was stopped".to_string());
            }
            let key = format!("{}{}", below, name);
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => {
                    let inside = key + "/";
                    if inside.starts_with(listing.prefix) || listing.prefix.starts_with(&inside) {
                        self.walk(&entry.path(), &inside, listing, stop, page)?;
                    }
                }
                Ok(meta) if meta.is_file() => listing.take(key, Facts::of(&meta), page),
                _ => {} // a link, or gone
            }
        }
        Ok(())
    }
}

impl Listing<'_> {
    fn take(&self, key: String, facts: Facts, page: &mut Page) {
        if !key.starts_with(self.prefix) {
            return;
        }
        let slash = key[self.prefix.len()..].find('/').filter(|_| self.grouped);
        let (name, facts) = match slash {
            Some(at) => (key[..self.prefix.len() + at + 1].to_string(), None),
            None => (key, Some(facts)),
        };
        if name.as_str() <= self.after {
            return;
        }
        page.found.insert(name, facts);
        if page.found.len() > self.max {
            let last = page.found.keys().next_back().cloned();
            page.found.remove(&last.unwrap_or_default());
            page.more = true;
        }
    }
}

impl Reader {
    pub fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        let most = self.left.min(buffer.len() as u64) as usize;
        let n = self.file.read(&mut buffer[..most]).map_err(|e| failed("reading", &e))?;
        if n == 0 && most > 0 {
            return fail(abi::RETRYABLE, "reading: the file was cut".to_string());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

impl Writer {
    pub fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.file.write_all(bytes).map_err(|e| failed(&self.key, &e))
    }

    pub fn abort(self) {
        let _ = fs::remove_file(&self.temporary); // an invisible file, if it stays
    }

    /// There is no `sync`, so each object is on the disk when its commit is over.
    pub fn commit(self) -> Outcome<Facts> {
        let done = self.publish().map_err(|e| failed(&self.key, &e));
        let _ = fs::remove_file(&self.temporary); // gone, if it was renamed
        done
    }

    fn publish(&self) -> io::Result<Facts> {
        self.file.sync_all()?;
        let facts = Facts::of(&self.file.metadata()?);
        let folder = self.place.parent().unwrap_or(&self.place);
        fs::create_dir_all(folder)?;
        if self.exclusive {
            fs::hard_link(&self.temporary, &self.place)?; // the only one of the two that can fail
        } else {
            fs::rename(&self.temporary, &self.place)?;
        }
        File::open(folder)?.sync_all()?;
        Ok(facts)
    }
}
