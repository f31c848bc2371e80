//! Memory that is wiped before it is given back, so that no piece of a secret waits in what the allocator keeps for later.
//!
//! A configuration goes through hundreds of buffers that grow, are cut and are copied. None of them needs to know that it
//! may hold a secret: all that the reading thread gives back is wiped.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;

thread_local! {
    /// How many [`Wiping`]s this thread has now. It has no destructor, so the allocator may ask at any time.
    static WIPING: Cell<u32> = const { Cell::new(0) };
}

/// An allocator, usually the system's, that a thread with a [`Wiping`] gives memory back to with zeros in it.
#[derive(Debug)]
pub struct Allocator<A = System>(A);

impl Allocator {
    /// The system's.
    pub const fn new() -> Self {
        Self(System)
    }
}

impl Default for Allocator {
    fn default() -> Self {
        Self::new()
    }
}

/// As long as this lives, its thread wipes all memory that it gives back, whoever has filled it. The program's allocator must
/// be an [`Allocator`].
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Wiping(PhantomData<*const ()>);

impl Wiping {
    /// From now on.
    pub fn begin() -> Self {
        WIPING.set(WIPING.get() + 1);
        Self(PhantomData)
    }
}

impl Drop for Wiping {
    fn drop(&mut self) {
        WIPING.set(WIPING.get() - 1);
    }
}

fn is_wiping() -> bool {
    WIPING.get() > 0
}

// SAFETY: all memory is that of the allocator within, of the layout that was asked for. It is written to only after its owner
// has given it back, and before the allocator within has it.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Allocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if is_wiping() {
            // SAFETY: so many octets are there, and nobody uses them any more.
            unsafe { libc::explicit_bzero(memory.cast(), layout.size()) };
        }
        // SAFETY: as above; the memory came from there.
        unsafe { self.0.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_wiping() {
            // SAFETY: as above; the memory came from there.
            return unsafe { self.0.realloc(memory, layout, size) };
        }
        // The system would move it and leave its former place as it was.
        // SAFETY: the caller says that this size fits the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as with `alloc`.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both places have so many octets and nothing in common, and the former one is given back as it was got.
            unsafe {
                memory.copy_to_nonoverlapping(moved, layout.size().min(size));
                self.dealloc(memory, layout);
            }
        }
        moved
    }
}

/// Drops what former calls have left on the stack of the main thread, as far as it is on pages of its own below the caller's.
/// On any other thread it does nothing: their stacks go with them.
pub fn forget_stack() {
    // SAFETY: this asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let Some(page) = usize::try_from(page).ok().filter(|page| page.is_power_of_two()) else { return };
    if let Some(stack) = main_stack() {
        forget_below_this_call(&stack, page);
    }
}

/// With a frame of its own, which is far shorter than a page: in one that it shared with its callers, what they still need
/// could lie pages below what is taken for the end of it here.
#[inline(never)]
fn forget_below_this_call(stack: &Range<usize>, page: usize) {
    let here = 0_u8;
    // Right below is what this call uses itself.
    let end = ((&raw const here).addr() & !(page - 1)).saturating_sub(page);
    if !stack.contains(&end) {
        return;
    }
    // SAFETY: the pages are of this thread's stack, and below all that is in use of it: nobody reads there before he has
    // written. If it is refused, they stay as they are.
    unsafe { libc::madvise(stack.start as *mut libc::c_void, end - stack.start, libc::MADV_DONTNEED) };
}

/// As far as it has grown; `None` where `/proc` is missing.
fn main_stack() -> Option<Range<usize>> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("[stack]"))?;
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the octets that come back to it with something in them.
    #[derive(Default)]
    struct Looking(AtomicUsize);

    // SAFETY: all is passed on to the system; what comes back is read before it is.
    unsafe impl GlobalAlloc for Looking {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller keeps the contract of `alloc`, which is the same.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
            // SAFETY: these tests fill all that they ask for, so these are octets; then as above.
            unsafe {
                let octets = std::slice::from_raw_parts(memory, layout.size());
                self.0.fetch_add(octets.iter().filter(|octet| **octet != 0).count(), Ordering::Relaxed);
                System.dealloc(memory, layout);
            }
        }
    }

    /// How many octets come back with something in them: of 100 that grow to 300, shrink to 50 and end.
    fn given_back(looking: &Allocator<Looking>) -> usize {
        let layout = |size| Layout::from_size_align(size, 8).expect("a layout");
        let before = looking.0.0.load(Ordering::Relaxed);
        // SAFETY: asked for, filled and given back with the same layouts, within which it is read and written.
        unsafe {
            let memory = looking.alloc(layout(100));
            memory.write_bytes(0xa5, 100);
            let longer = looking.realloc(memory, layout(100), 300);
            assert!(std::slice::from_raw_parts(longer, 100).iter().all(|octet| *octet == 0xa5), "it moved whole");
            longer.write_bytes(0x5a, 300);
            let shorter = looking.realloc(longer, layout(300), 50);
            assert!(
                std::slice::from_raw_parts(shorter, 50).iter().all(|octet| *octet == 0x5a),
                "as far as it has room"
            );
            looking.dealloc(shorter, layout(50));
        }
        looking.0.0.load(Ordering::Relaxed) - before
    }

    #[test]
    fn what_is_given_back_meanwhile_is_wiped() {
        let looking = Allocator(Looking::default());
        assert_eq!(given_back(&looking), 100 + 300 + 50, "the search finds what is there");
        {
            let _outer = Wiping::begin();
            drop(Wiping::begin());
            assert_eq!(given_back(&looking), 0);
            let elsewhere = std::thread::scope(|scope| scope.spawn(|| given_back(&looking)).join());
            assert_eq!(elsewhere.expect("it ends"), 100 + 300 + 50, "another thread is as it was");
        }
        assert_eq!(given_back(&looking), 100 + 300 + 50, "it is over");
    }
}
