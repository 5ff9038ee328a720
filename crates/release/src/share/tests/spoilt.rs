//! Sources of shares that the self-test must find.

use super::*;

type Spoil = fn(i64) -> i64;

/// Which shares a source spoils.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Laplace,
    Gaussian,
}

fn kind(share: &Share) -> Kind {
    match share {
        Share::Laplace(_) => Kind::Laplace,
        Share::Gaussian(_) => Kind::Gaussian,
    }
}

/// Real draws, made once for all, of which one kind is spoilt.
struct Spoilt<'a> {
    laplace: &'a [i64],
    gaussian: &'a [i64],
    kind: Kind,
    spoil: Spoil,
}

impl ShareNoise for Spoilt<'_> {
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let left = if kind(share) == Kind::Laplace { &mut self.laplace } else { &mut self.gaussian };
        let (drawn, rest) = left.split_at_checked(cells).ok_or(NoiseFault)?;
        *left = rest;
        let spoil = if kind(share) == self.kind { self.spoil } else { |x| x };
        Ok(drawn.iter().map(|x| spoil(*x)).collect())
    }
}

/// Shares of one kind as if there were another number of honest partners.
struct Among(Kind, u16);

impl ShareNoise for Among {
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let other = match share {
            share if kind(share) != self.0 => share.clone(),
            Share::Laplace(share) => {
                Share::Laplace(LaplaceShare::new(share.scale(), honest(self.1, 0)).unwrap())
            }
            Share::Gaussian(_) => four_wide(self.1),
        };
        Shares.draw_share(&other, cells)
    }
}

/// The self-test's Gaussian: σ = 4 in all.
fn four_wide(h: u16) -> Share {
    let (rho, l2_squared) = (NanoRho::new(500_000_000), NonZeroU64::new(16).unwrap());
    Share::Gaussian(GaussianShare::new(rho, l2_squared, honest(h, 0), Scaling::NONE).unwrap())
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
    let laplace = Shares.draw_share(&laplace(1, 500_000, honest(2, 0)), 10_000).unwrap();
    let gaussian = Shares.draw_share(&four_wide(2), 10_000).unwrap();
    let test =
        |kind, spoil| self_test_shares(&mut Spoilt { laplace: &laplace, gaussian: &gaussian, kind, spoil });
    let spoilt: [(&str, Spoil); 5] = [
        ("none", |_| 0),
        ("halved", |x| x / 2),
        ("one-sided", i64::abs),
        ("shifted", |x| x + 1),
        ("clipped", |x| x.clamp(-3, 3)),
    ];
    for kind in [Kind::Laplace, Kind::Gaussian] {
        assert_eq!(test(kind, |x| x), Ok(()));
        for (how, spoil) in spoilt {
            assert_eq!(test(kind, spoil), Err(ShareFault::BadNoise), "{how} {kind:?}");
        }
        assert_eq!(self_test_shares(&mut Among(kind, 3)), Err(ShareFault::BadNoise), "{kind:?}");
    }
    assert_eq!(self_test_shares(&mut Short), Err(ShareFault::NoNoise));
}
