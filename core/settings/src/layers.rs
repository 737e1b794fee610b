//! Lays default file, environment file, environment variables and secret files over one another. Knows nothing of
//! what the keys mean, except which of them are secret.

use std::path::Path;

use toml::{Table, Value};
use zeroize::Zeroizing;

use crate::{SettingsError, Source};

const PREFIX: &str = "SWITCHYARD__";
/// A secret file is a key or a URL, nothing longer.
const MAX_SECRET_FILE_BYTES: u64 = 16 * 1024;
/// Keys that TOML must not hold, and that a key `<name>_file` may point to. `*` stands for any name.
const SECRETS: [&str; 9] = [
    "database.url",
    "redis.url",
    "networks.*.endpoint_api_keys",
    "operators.keys",
    "vault.import_private_key",
    "vault.master_key",
    "vault.passphrase",
    "vault.previous_master_key",
    "vault.previous_passphrase",
];

/// All layers as one table, with secrets read from their files.
pub(crate) fn read(source: &Source) -> Result<Table, SettingsError> {
    check_name(&source.environment)?;
    let mut merged = read_file(&source.dir.join("default.toml"), "holds every key's default")?;
    let wanted_by = format!("holds what is special to the environment `{}`", source.environment);
    merge(
        &mut merged,
        read_file(&source.dir.join(format!("{}.toml", source.environment)), &wanted_by)?,
    );
    for (variable, text) in &source.variables {
        if let Some(path) = variable.strip_prefix(PREFIX) {
            set(&mut merged, variable, path, text)?;
        }
    }
    read_secret_files(&mut merged, &mut Vec::new())?;
    Ok(merged)
}

fn check_name(environment: &str) -> Result<(), SettingsError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if environment.is_empty() || environment == "default" || !environment.chars().all(plain) {
        return Err(value_error(
            "SWITCHYARD_ENV",
            "is not a name of lower-case letters, digits and `-`",
        ));
    }
    Ok(())
}

fn read_file(path: &Path, wanted_by: &str) -> Result<Table, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read {
        path: path.to_owned(),
        wanted_by: wanted_by.to_owned(),
        source,
    })?;
    let table: Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        SettingsError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            message: error.message().to_owned(),
        }
    })?;
    match find_secret(&table, &mut Vec::new()) {
        None => Ok(table),
        Some(key) => {
            let variable = format!("{PREFIX}{}", key.to_uppercase().replace('.', "__").replace('-', "_"));
            Err(SettingsError::SecretInFile {
                path: path.to_owned(),
                key,
                variable,
            })
        }
    }
}

fn find_secret(table: &Table, path: &mut Vec<String>) -> Option<String> {
    for (name, value) in table {
        path.push(name.clone());
        if is_secret(path) {
            return Some(path.join("."));
        }
        if let Some(found) = value.as_table().and_then(|inner| find_secret(inner, path)) {
            return Some(found);
        }
        path.pop();
    }
    None
}

fn is_secret(path: &[String]) -> bool {
    SECRETS.iter().any(|pattern| {
        let parts: Vec<&str> = pattern.split('.').collect();
        parts.len() == path.len() && parts.iter().zip(path).all(|(part, name)| *part == "*" || part == name)
    })
}

/// Tables are merged key by key; anything else, lists included, is replaced.
fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Puts one environment variable in its place.
fn set(root: &mut Table, variable: &str, path: &str, text: &str) -> Result<(), SettingsError> {
    let names: Vec<&str> = path.split("__").collect();
    if names.len() < 2 || names.iter().any(|name| name.is_empty()) {
        return Err(value_error(variable, "is not of the form SWITCHYARD__SECTION__KEY"));
    }
    let mut table = root;
    let mut full = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let key = existing_key(table, name);
        full.push(key.clone());
        if index + 1 == names.len() {
            let value =
                read_value(table.get(&key), is_secret(&full), text).map_err(|wrong| value_error(variable, wrong))?;
            table.insert(key, value);
            return Ok(());
        }
        table = table
            .entry(key)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| value_error(variable, "names something inside a key that is not a section"))?;
    }
    Ok(())
}

/// The key that a part of a variable's name means. A network's name may hold `-`, which variables write as `_`.
fn existing_key(table: &Table, name: &str) -> String {
    let key = name.to_lowercase();
    let dashed = key.replace('_', "-");
    if !table.contains_key(&key) && table.contains_key(&dashed) {
        dashed
    } else {
        key
    }
}

/// Reads a variable's text as the kind of value that the key has by default.
fn read_value(default: Option<&Value>, secret: bool, text: &str) -> Result<Value, &'static str> {
    if secret {
        return Ok(Value::String(text.to_owned()));
    }
    match default {
        Some(Value::Integer(_)) => text.parse().map(Value::Integer).map_err(|_| "is not a whole number"),
        Some(Value::Boolean(_)) => text
            .parse()
            .map(Value::Boolean)
            .map_err(|_| "is neither `true` nor `false`"),
        Some(Value::Table(_)) => Err("names a section; name a key in it"),
        Some(Value::Array(_)) if !text.trim_start().starts_with('[') => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(Value::from)
                .collect(),
        )),
        Some(Value::Array(_)) => read_toml(text),
        Some(_) => Ok(Value::String(text.to_owned())),
        None if text.starts_with('[') => read_toml(text),
        None if text == "true" || text == "false" => Ok(Value::Boolean(text == "true")),
        // at most 18 digits: what is longer is a key in hex, or no number that we could hold
        None if text.len() <= 18 => Ok(text.parse().map_or_else(|_| Value::from(text), Value::Integer)),
        None => Ok(Value::from(text)),
    }
}

fn read_toml(text: &str) -> Result<Value, &'static str> {
    let wrapped = format!("value = {text}");
    let mut table: Table = toml::from_str(&wrapped).map_err(|_| "is not a TOML list")?;
    table
        .remove("value")
        .filter(|_| table.is_empty())
        .ok_or("is not one TOML list")
}

/// Replaces each `<secret>_file` with the secret that stands in the file.
fn read_secret_files(table: &mut Table, path: &mut Vec<String>) -> Result<(), SettingsError> {
    let names: Vec<String> = table.keys().cloned().collect();
    for name in names {
        path.push(name.clone());
        if let Some(inner) = table.get_mut(&name).and_then(Value::as_table_mut) {
            read_secret_files(inner, path)?;
        } else if let Some(secret) = name.strip_suffix("_file") {
            let full = path.join(".");
            path.pop();
            path.push(secret.to_owned());
            if is_secret(path) {
                if table.contains_key(secret) {
                    return Err(value_error(
                        &full,
                        &format!("is given as well as `{secret}`: give one of them"),
                    ));
                }
                let content = read_secret_file(&full, table.get(&name))?;
                table.remove(&name);
                table.insert(secret.to_owned(), content);
            }
        }
        path.pop();
    }
    Ok(())
}

fn read_secret_file(key: &str, file: Option<&Value>) -> Result<Value, SettingsError> {
    let path = Path::new(
        file.and_then(Value::as_str)
            .ok_or_else(|| value_error(key, "is not a path"))?,
    );
    let failed = |source| SettingsError::Read {
        path: path.to_owned(),
        wanted_by: format!("`{key}` names"),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_SECRET_FILE_BYTES {
        return Err(value_error(
            key,
            "names a file of more than 16 KiB, which is no secret of ours",
        ));
    }
    let content = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    Ok(Value::from(content.trim()))
}

pub(crate) fn value_error(key: &str, message: &str) -> SettingsError {
    SettingsError::Value {
        key: key.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
