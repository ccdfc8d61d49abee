//! How the process holds memory.

/// Keeps freed memory for the next allocation, where the C library is glibc. Provers free and allocate
/// hundreds of megabytes in turn; the kernel would clear every page anew.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets two parameters of the allocator, before other threads exist.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
    }
}
