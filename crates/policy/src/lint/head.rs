use crate::decimal;
use crate::document::{Budget, FloorDoc, Head};
use crate::lint::Ground;

pub(super) fn check(ground: &Ground<'_>) {
    if let Some(head) = &ground.policy.head {
        dates(head, ground);
        framework(head, ground);
        notice(head, ground);
        made_up(head, ground);
    }
    if let (Some(budget), Some(floor)) = (&ground.policy.budget, &ground.framework.floor) {
        caps(budget, floor, ground);
    }
}

fn dates(head: &Head, ground: &Ground<'_>) {
    let (from, review, expires) = (head.effective_from.value, head.review_by.value, head.expires.value);
    if expires < from {
        let says = format!("expires on {expires}, before it is in force on {from}");
        ground.faults.error("CP101", &head.expires.span, "policy.expires", says, "put the days in order");
    }
    if review < from || review > expires {
        let says = format!("the review on {review} is not between {from} and {expires}");
        ground.faults.error("CP101", &head.review_by.span, "policy.review_by", says, "put the days in order");
    }
    let Some(floor) = &ground.framework.floor else { return };
    let months = floor.max_valid_months.value.min(crate::floor::VALID_MONTHS);
    // The first and the last day both count.
    let last = from.plus_months(months).plus_days(-1);
    if expires > last {
        let says = format!("in force for more than {months} months, the framework's most");
        let fix = format!("{last} is the last day allowed");
        ground.faults.error("CP102", &head.expires.span, "policy.expires", says, fix);
    }
}

fn framework(head: &Head, ground: &Ground<'_>) {
    let (id, version) = &head.framework;
    if let Some(known) = ground.framework.id.as_ref().filter(|k| k.value != id.value) {
        let says = format!("written for the framework {}, here is {}", id.value, known.value);
        ground.faults.error(
            "CP105",
            &id.span,
            "policy.framework.id",
            says,
            "name the framework that is here",
        );
    }
    if let Some(known) = ground.framework.version.as_ref().filter(|k| k.value != version.value) {
        let says = format!(
            "written for version {} of the framework, here is version {}",
            version.value, known.value
        );
        let fix = "read what changed, then name the version that is here";
        ground.faults.error("CP105", &version.span, "policy.framework.version", says, fix);
    }
}

fn notice(head: &Head, ground: &Ground<'_>) {
    if !is_web_address(&head.notice_url) {
        let says = "`notice_url` must be the https address of the privacy notice, such as https://www.council.gov.uk/privacy";
        let fix = "people must be able to read what leaves";
        ground.faults.error("CP106", &head.notice_at, "policy.notice_url", says, fix);
    }
}

/// `https://`, a host of at least two parts, and nothing after it that ends an address in a text or in a page.
fn is_web_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let part = |part: &str| {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    let fits = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    host.contains('.') && host.split('.').all(part) && rest.chars().all(fits)
}

/// A board may try a policy with made-up values; it should not sign one unaware.
fn made_up(head: &Head, ground: &Ground<'_>) {
    let Some((_, span)) = head.made_up.first() else { return };
    let keys: Vec<String> = head.made_up.iter().map(|(key, _)| format!("`{key}`")).collect();
    let says = format!("made up, as in a template or an example: {}", keys.join(", "));
    ground.faults.warn("CP108", span, "policy", says, "write your own before the board signs");
}

fn caps(budget: &Budget, floor: &FloorDoc, ground: &Ground<'_>) {
    let caps = [
        ("epsilon_per_year", &budget.per_year, &floor.epsilon_max_per_year),
        ("epsilon_lifetime", &budget.lifetime, &floor.epsilon_max_lifetime),
    ];
    for (key, own, most) in caps {
        if own.value > most.value {
            let most = decimal::print(most.value);
            let says = format!("{} is above the framework's {most}", decimal::print(own.value));
            ground.faults.error(
                "CP107",
                &own.span,
                format!("budget.{key}"),
                says,
                format!("write {most} or less"),
            );
        }
    }
    if budget.lifetime.value < budget.per_year.value {
        let says = "the lifetime cap is below the cap of one year";
        ground.faults.error(
            "CP107",
            &budget.lifetime.span,
            "budget.epsilon_lifetime",
            says,
            "raise one or lower the other",
        );
    }
    if budget.delta.value > floor.delta_max.value {
        let says = "δ is above the framework's";
        let fix = format!("write {:e} or less", floor.delta_max.value);
        ground.faults.error("CP107", &budget.delta.span, "budget.delta_lifetime", says, fix);
    }
}
