//! `/api/roles` and `/api/permissions`: what operators may be given.

pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod permissions;
pub(crate) mod set;

use access::BuiltInRole;
use chrono::{DateTime, Utc};
use db::models::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleView {
    #[schema(example = "finance_manager")]
    name: String,
    title: String,
    /// In Chinese; null for a role that operators made.
    title_zh: Option<&'static str>,
    /// Whether it is one of the house, which cannot be changed.
    built_in: bool,
    #[schema(example = json!(["balances:read", "balances:write"]))]
    permissions: Vec<String>,
    /// Null for a role of the house.
    updated_at: Option<DateTime<Utc>>,
    updated_by: Option<String>,
}

impl From<BuiltInRole> for RoleView {
    fn from(role: BuiltInRole) -> Self {
        let words = role.permissions().words();
        Self {
            name: role.name().to_owned(),
            title: role.title().to_owned(),
            title_zh: Some(role.title_zh()),
            built_in: true,
            permissions: words.into_iter().map(str::to_owned).collect(),
            updated_at: None,
            updated_by: None,
        }
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            name: role.name,
            title: role.title,
            title_zh: None,
            built_in: false,
            permissions: role.permissions,
            updated_at: Some(role.updated_at),
            updated_by: Some(role.updated_by),
        }
    }
}
