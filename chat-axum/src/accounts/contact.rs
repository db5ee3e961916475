//! E-mail addresses and phone numbers in the one form they are compared in.

/// Longest address (RFC 5321 §4.5.3.1.3, without the brackets).
const MAX_EMAIL_BYTES: usize = 254;

/// A lower-case e-mail address that looks like one; whether it exists only a letter can tell.
pub(super) struct Email(String);

impl Email {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let email = text.trim().to_lowercase();
        let (local, domain) = email.rsplit_once('@')?;
        let good = email.len() <= MAX_EMAIL_BYTES
            && !local.is_empty()
            && !local.contains('@')
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !email.chars().any(|c| c.is_whitespace() || c.is_control());
        good.then_some(Self(email))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A phone number: digits, with a leading `+` where it was given. At most 15 digits (ITU-T E.164).
pub(super) struct Phone(String);

impl Phone {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (plus, rest) = match text.strip_prefix('+') {
            Some(rest) => ("+", rest),
            None => ("", text),
        };
        let mut digits = String::new();
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '/' => {}
                _ => return None,
            }
        }
        (4..=15)
            .contains(&digits.len())
            .then(|| Self(format!("{plus}{digits}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        let email = |text| Email::parse(text).map(Email::into_string);
        assert_eq!(email(" Ada@Example.ORG "), Some("ada@example.org".to_owned()));
        for bad in [
            "",
            "ada",
            "@x.org",
            "ada@",
            "a@b@c.org",
            "a b@c.org",
            "a@.org",
            "a@c.org.",
        ] {
            assert_eq!(email(bad), None, "{bad}");
        }
        assert_eq!(email(&format!("{}@x.org", "a".repeat(250))), None);
    }

    #[test]
    fn numbers_have_one_form() {
        let phone = |text| Phone::parse(text).map(Phone::into_string);
        assert_eq!(phone("+49 (170) 12-34"), Some("+491701234".to_owned()));
        assert_eq!(phone("0170 1234"), Some("01701234".to_owned()));
        for bad in ["", "+", "123", "12a4", "1+234", "1234567890123456"] {
            assert_eq!(phone(bad), None, "{bad}");
        }
    }
}
