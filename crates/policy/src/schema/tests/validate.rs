//! The part of JSON Schema, draft 7, that our schemas use. A keyword or pattern that it does not know fails the test, so nothing
//! is passed over. (A whole validator would change the features of crates that the programs share, and compile them twice.)

use serde_json::Value;

/// Why a value does not fit a schema; `Ok`: it fits.
pub(super) fn validate(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let rules = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in rules {
        let fits = match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" | "format" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|r| r.strip_prefix('#')).expect("a pointer");
                validate(root, root.pointer(pointer).expect("a definition"), value, path)?;
                true
            }
            "type" => is(value, rule.as_str().expect("a type")),
            "const" => value == rule,
            "enum" => rule.as_array().expect("a list").contains(value),
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().expect("a text"), text)),
            "minLength" => value.as_str().is_none_or(|t| t.chars().count() >= size(rule)),
            "maxLength" => value.as_str().is_none_or(|t| t.chars().count() <= size(rule)),
            "minItems" => value.as_array().is_none_or(|a| a.len() >= size(rule)),
            "maxItems" => value.as_array().is_none_or(|a| a.len() <= size(rule)),
            "minimum" => value.as_f64().is_none_or(|n| n >= number(rule)),
            "maximum" => value.as_f64().is_none_or(|n| n <= number(rule)),
            "exclusiveMinimum" => value.as_f64().is_none_or(|n| n > number(rule)),
            "exclusiveMaximum" => value.as_f64().is_none_or(|n| n < number(rule)),
            "required" => value.as_object().is_none_or(|o| {
                rule.as_array().expect("a list").iter().all(|k| o.contains_key(k.as_str().expect("a key")))
            }),
            "allOf" => of(root, rule, value, path).all(|fits| fits),
            "anyOf" => of(root, rule, value, path).any(|fits| fits),
            "oneOf" => of(root, rule, value, path).filter(|fits| *fits).count() == 1,
            "properties" | "additionalProperties" => true,
            "propertyNames" => {
                for key in value.as_object().into_iter().flat_map(|o| o.keys()) {
                    validate(root, rule, &Value::String(key.clone()), path)?;
                }
                true
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(root, rule, item, &format!("{path}[{n}]"))?;
                }
                true
            }
            other => panic!("the keyword `{other}` is not known to this test"),
        };
        if !fits {
            return Err(format!("{path}: {keyword} {rule}"));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match (properties.and_then(|p| p.get(key)), schema.get("additionalProperties")) {
            (Some(known), _) => validate(root, known, inner, &path)?,
            (None, Some(Value::Bool(false))) => return Err(format!("{path} is not known")),
            (None, Some(other)) => validate(root, other, inner, &path)?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn of<'a>(root: &'a Value, rule: &'a Value, value: &'a Value, path: &'a str) -> impl Iterator<Item = bool> {
    rule.as_array().expect("a list").iter().map(move |s| validate(root, s, value, path).is_ok())
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the type `{other}` is not known to this test"),
    }
}

/// Each pattern of our schemas, by hand.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |t: &str, many: usize| t.len() == many && t.bytes().all(|b| b.is_ascii_digit());
    let dashed = |t: &str, parts: &[usize]| {
        t.split('-').count() == parts.len() && t.split('-').zip(parts).all(|(part, many)| digits(part, *many))
    };
    match pattern {
        r"\S" => text.chars().any(|c| !c.is_whitespace()),
        "^[a-z0-9-]{1,64}$" => {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=64).contains(&text.len()) && text.bytes().all(plain)
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => dashed(text, &[4, 2, 2]),
        "^[0-9]{2}-[0-9]{2}$" => dashed(text, &[2, 2]),
        "^sha256:[0-9a-f]{64}$" => text.strip_prefix("sha256:").is_some_and(|h| {
            h.len() == 64 && h.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        }),
        "^(people|rows|(sum|mean):.+)$" => {
            let of = text.strip_prefix("sum:").or_else(|| text.strip_prefix("mean:"));
            text == "people" || text == "rows" || of.is_some_and(|column| !column.is_empty())
        }
        r"^(ssh-ed25519|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]+( .*)?$" => {
            let rest = text
                .strip_prefix("sk-ssh-ed25519@openssh.com ")
                .or_else(|| text.strip_prefix("ssh-ed25519 "));
            let key = rest.and_then(|r| r.split(' ').next()).unwrap_or_default();
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        }
        other => panic!("the pattern `{other}` is not known to this test"),
    }
}

fn size(rule: &Value) -> usize {
    rule.as_u64().and_then(|n| n.try_into().ok()).expect("a size")
}

fn number(rule: &Value) -> f64 {
    rule.as_f64().expect("a number")
}
