//! What computing with a secret leaves on the stack.

use zeroize::Zeroize;

/// Bytes of the stack that are overwritten: more than the deepest calls with a secret take.
const DEEP: usize = 64 * 1024;

/// Overwrites what the functions that were called here before left on this thread's stack: parts of a secret that stood in
/// registers (digests, checksums, comparisons) lie there until something else takes the place. For whoever has just worked
/// with one, from the function that called.
#[inline(never)]
pub fn wipe_stack() {
    let mut place = [0_u8; DEEP];
    place.zeroize();
    std::hint::black_box(&mut place);
}
