//! What is asked of an operator's e-mail address, name and roles.

use crate::DomainError;

const MAX_ROLES: usize = 20;

pub(super) fn checked_roles(roles: &[String]) -> Result<Vec<String>, DomainError> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if roles.len() > MAX_ROLES {
        return Err(DomainError::BadText("an operator has 20 roles at most"));
    }
    Ok(roles)
}

pub(super) fn checked_name(name: &str) -> Result<(), DomainError> {
    let fits =
        (1..=100).contains(&name.chars().count()) && !name.trim().is_empty() && !name.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(DomainError::BadText("a name has 1 to 100 printable characters"))
    }
}

pub(super) fn checked_email(email: &str) -> Result<String, DomainError> {
    let email = email.trim().to_lowercase();
    let parts: Vec<&str> = email.split('@').collect();
    let fits = email.len() <= 254
        && email.bytes().all(|byte| byte.is_ascii_graphic())
        && matches!(parts.as_slice(), [name, host] if !name.is_empty() && host.len() > 2)
        // an authenticator app names the account so
        && !email.contains(':');
    if fits {
        Ok(email)
    } else {
        Err(DomainError::BadText("this is no e-mail address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_kept_in_one_form() {
        assert_eq!(checked_email(" Anna@Example.ORG ").unwrap(), "anna@example.org");
        for bad in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a@b@example.org",
            "an na@example.org",
            "a:b@example.org",
        ] {
            assert!(checked_email(bad).is_err(), "{bad}");
        }
        assert!(checked_email(&format!("{}@example.org", "a".repeat(250))).is_err());
    }
}
