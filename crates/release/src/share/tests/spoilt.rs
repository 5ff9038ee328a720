//! Sources of shares that the self-test must find.

use super::*;

type Spoil = fn(i64) -> i64;

/// Real draws, made once for all, spoilt.
struct Spoilt<'a> {
    left: &'a [i64],
    spoil: Spoil,
}

impl ShareNoise for Spoilt<'_> {
    fn draw_share(&mut self, _: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let (drawn, left) = self.left.split_at_checked(cells).ok_or(NoiseFault)?;
        self.left = left;
        Ok(drawn.iter().map(|x| (self.spoil)(*x)).collect())
    }
}

/// Shares as if there were another number of honest partners.
struct Among(u16);

impl ShareNoise for Among {
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let Share::Laplace(share) = share else { return Err(NoiseFault) };
        let other = LaplaceShare::new(share.scale(), honest(self.0, 0)).map_err(|_| NoiseFault)?;
        Shares.draw_share(&Share::Laplace(other), cells)
    }
}

struct Short;

impl ShareNoise for Short {
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Shares.draw_share(share, cells.saturating_sub(1))
    }
}

#[test]
fn the_shares_that_ship_pass() {
    assert_eq!(self_test_shares(&mut Shares), Ok(()));
}

#[test]
fn each_spoilt_source_of_shares_is_caught() {
    let drawn = Shares.draw_share(&laplace(1, 500_000, honest(2, 0)), 10_000).unwrap();
    assert_eq!(self_test_shares(&mut Spoilt { left: &drawn, spoil: |x| x }), Ok(()));
    let spoilt: [(&str, Spoil); 5] = [
        ("none", |_| 0),
        ("halved", |x| x / 2),
        ("one-sided", i64::abs),
        ("shifted", |x| x + 1),
        ("clipped", |x| x.clamp(-3, 3)),
    ];
    for (how, spoil) in spoilt {
        assert_eq!(self_test_shares(&mut Spoilt { left: &drawn, spoil }), Err(ShareFault::BadNoise), "{how}");
    }
    assert_eq!(self_test_shares(&mut Among(3)), Err(ShareFault::BadNoise));
    assert_eq!(self_test_shares(&mut Short), Err(ShareFault::NoNoise));
}
