//! Operators and their roles.

use super::*;

impl Service {
    pub async fn operators(&self) -> Result<Vec<Operator>> {
        unimplemented!()
    }

    /// Gives an operator a role, making the operator if need be. The last admin keeps the role.
    pub async fn set_operator(&self, operation: OperationId, name: &str, role: Role) -> Result<Operator> {
        unimplemented!()
    }

    /// Takes all rights from an operator. The last admin can't be removed.
    pub async fn remove_operator(&self, operation: OperationId, name: &str) -> Result<()> {
        unimplemented!()
    }
}
