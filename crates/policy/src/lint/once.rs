//! People counted once across partners: what the release, the shares under it and the link must say together.

use cairn_question::Measure;
use cairn_question::privacy::Epsilon;

use crate::decimal;
use crate::document::{CountOnceDoc, How, Link, LinkKind, PolicyDoc, Release, Share};
use crate::floor;
use crate::lint::Ground;
use crate::treatment::CountOnce;

/// The one account, and the links that nobody counts by.
pub(super) fn check(ground: &Ground<'_>) {
    let releases = ground.policy.releases.iter();
    let once = releases.filter_map(|(name, r)| Some((name, r.as_ref().filter(|r| counts_once(r))?)));
    for (name, second) in once.skip(1) {
        let says = "two releases count people once, and there is one account for such counts";
        let fix = "give both shares one release, and delete the other";
        ground.faults.error("CP320", &second.span, format!("release.{name}.method"), says, fix);
    }
    for link in ground.policy.links.iter().filter(|l| l.kind.value == LinkKind::CountOnce) {
        unused(link, ground);
    }
}

const fn counts_once(release: &Release) -> bool {
    matches!(release.how, How::CountOnce(_))
}

/// The release of a share, where it counts people once.
fn by(share: &Share, policy: &PolicyDoc) -> bool {
    policy.releases.get(&share.release.value).and_then(|r| r.as_ref()).is_some_and(counts_once)
}

/// A link says by what people are known again; only a release counts them so.
fn unused(link: &Link, ground: &Ground<'_>) {
    let named = |share: &&Share| share.links.iter().any(|l| l.value == link.id.value.as_str());
    let mut shares = ground.policy.shares.iter().filter(named).peekable();
    // A link that no share names at all is reported as that.
    if shares.peek().is_none() || shares.any(|share| by(share, ground.policy)) {
        return;
    }
    let says = "no share that names it counts people once: in a sum of partners' own tables a person known to several counts at each";
    let fix = "add a share whose release has method = \"count-once\", or say so where such sums are read";
    ground.faults.warn("CP434", &link.id.span, format!("link.{}", link.id.value), says, fix);
}

/// Terms, partners, ε and counts of the release itself.
pub(super) fn release(release: &Release, count: &CountOnceDoc, path: &str, ground: &Ground<'_>) {
    if release.min_partners.as_ref().is_none_or(|p| p.value == 1) {
        let span = release.min_partners.as_ref().map_or(&release.span, |p| &p.span);
        let least = ground.framework.floor.as_ref().map_or(floor::MIN_PARTNERS, |f| f.min_partners.value);
        let says = "people are counted once over several partners, never at this one alone";
        let fix = format!("write min_partners = {least} or more");
        ground.faults.error("CP316", span, format!("{path}.min_partners"), says, fix);
    }
    if count.counts_lifetime.value < count.counts_per_year.value {
        let span = &count.counts_lifetime.span;
        let says = format!(
            "{} counts for life are fewer than the {} of one year",
            count.counts_lifetime.value, count.counts_per_year.value
        );
        let fix = format!("write {} or more", count.counts_per_year.value);
        ground.faults.error("CP318", span, format!("{path}.counts_lifetime"), says, fix);
    }
    let Some(terms) = &ground.framework.secure else {
        let says =
            "people are counted once under the terms of secure totals, and the framework has no [secure]";
        let fix = "ask the national board for [secure], or delete the release";
        ground.faults.error("CP319", &release.span, format!("{path}.method"), says, fix);
        return;
    };
    loss(count, terms.keys_per_person_max.value, path, ground);
}

/// ε₀ within what gives a figure and protects a person, who may stand under several keys.
fn loss(count: &CountOnceDoc, keys: u32, path: &str, ground: &Ground<'_>) {
    let error = |says: String, fix: String| {
        ground.faults.error("CP317", &count.epsilon.span, format!("{path}.epsilon"), says, fix);
    };
    let own = count.epsilon.value.millionths();
    let (least, most) = floor::COUNT_EPSILON;
    if own < least || own > most {
        let [own, least, most] = [own, least, most].map(decimal::print);
        let says = format!("ε₀ = {own} for one key and one count is outside {least} to {most}");
        error(says, format!("write {least} to {most}"));
    } else if own.saturating_mul(keys) > Epsilon::MAX.millionths() {
        let says = format!(
            "a person under {keys} keys, as the framework has it, would lose more than ε = {} in one count",
            Epsilon::MAX
        );
        error(says, format!("write {} or less", decimal::print(Epsilon::MAX.millionths() / keys)));
    }
}

/// A breakdown costs a person ε₀ for each cell that they are in, and the framework says in how many that may be.
fn broken_down(share: &Share, path: &str, ground: &Ground<'_>) {
    let (Some((column, _)), Some(terms)) = (share.group_by.first(), &ground.framework.secure) else { return };
    let error = |code, says: String, fix: String| {
        ground.faults.error(code, &column.span, format!("{path}.group_by"), says, fix);
    };
    let Some(cells) = &terms.cells_per_person_max else {
        let says = "the framework does not say in how many cells a person may be, so no count of people once is broken down";
        let fix = "write group_by = {} and max_group_columns = 0, or ask the national board for [secure] cells_per_person_max";
        return error("CP432", says.to_owned(), fix.to_owned());
    };
    let release = ground.policy.releases.get(&share.release.value).and_then(|r| r.as_ref());
    let Some(How::CountOnce(count)) = release.map(|r| &r.how) else { return };
    let (keys, cells) = (terms.keys_per_person_max.value, cells.value);
    let priced = |cells_per_person| CountOnce {
        epsilon: count.epsilon.value,
        keys_per_person: keys,
        cells_per_person,
        counts_per_year: count.counts_per_year.value,
        counts_lifetime: count.counts_lifetime.value,
    };
    let table = priced(cells);
    let Some(epsilon) = table.times_keys_and_cells() else {
        let says = format!(
            "a person under {keys} keys and in {cells} cells, as the framework has it, would lose more than ε = {} in one table",
            Epsilon::MAX
        );
        let most = decimal::print(Epsilon::MAX.millionths() / keys.saturating_mul(cells).max(1));
        return error(
            "CP435",
            says,
            format!("write group_by = {{}}, or epsilon = {most} or less in the release"),
        );
    };
    let year = priced(1).loss().nano().saturating_mul(count.counts_per_year.value.into());
    if table.loss().nano() > year {
        let says = format!(
            "a table that costs a person ε = {epsilon} is more than the account of a year holds, which is made for {} counts without a breakdown",
            count.counts_per_year.value
        );
        let fix = "allow more counts_per_year, or write a smaller epsilon in the release or group_by = {}";
        error("CP435", says, fix.to_owned());
    }
}

/// What a share may ask for that counts people once.
pub(super) fn share(share: &Share, path: &str, ground: &Ground<'_>) {
    if !by(share, ground.policy) {
        return;
    }
    if let Some(other) = share.answers.iter().find(|a| a.value != Measure::People) {
        let says = format!("{} counts people once, and this is {}", share.release.value, other.value);
        ground.faults.error("CP432", &other.span, format!("{path}.answers"), says, "write [\"people\"]");
    }
    broken_down(share, path, ground);
    let links = ground.policy.links.iter();
    let mut fitting =
        links.filter(|l| l.kind.value == LinkKind::CountOnce && l.left.value == share.dataset.value);
    let known = fitting.clone().next().map(|l| l.id.value.to_string());
    if !fitting.any(|link| share.links.iter().any(|l| l.value == link.id.value.as_str())) {
        let says = format!("nothing says by what people of {} are known again", share.dataset.value);
        let fix = match known {
            Some(id) => format!("add \"{id}\" to `links`"),
            None => {
                format!("declare a [[link]] of kind \"count-once\" with left = \"{}\"", share.dataset.value)
            }
        };
        ground.faults.error("CP433", &share.release.span, format!("{path}.links"), says, fix);
    }
}
