//! Random numbers that come out the same for the same seed, everywhere (SplitMix64).

#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Once in `n`.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A word of so many letters of a small alphabet, so that searches find something.
    pub(super) fn word(&mut self, letters: usize) -> String {
        (0..letters)
            .map(|_| self.pick(&['a', 'b', 'B', 'ä', 'Ä', '%', '1']))
            .collect()
    }

    /// Some of the users, each once, in any order.
    pub(super) fn users(&mut self, of: usize, at_most: usize) -> Vec<usize> {
        let mut users: Vec<usize> = Vec::new();
        for _ in 0..1 + self.below(at_most) {
            let user = self.below(of);
            if !users.contains(&user) {
                users.push(user);
            }
        }
        users
    }
}
