//! The scalar function that gives each row of a table its place.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::fault::EngineFault;
use crate::weights::Weights;

/// `place(column, …) -> UInt32`, never NULL: the sum of what each column adds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct PlaceOf {
    columns: Vec<Weights>,
    signature: Signature,
}

impl PlaceOf {
    pub(crate) fn new(columns: Vec<Weights>) -> Self {
        Self { columns, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// The place of a row that this table does not have.
    pub(crate) fn of_absent_row(&self) -> u32 {
        self.columns.iter().map(Weights::null).fold(0, u32::wrapping_add)
    }
}

impl ScalarUDFImpl for PlaceOf {
    fn name(&self) -> &'static str {
        "place"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if args.args.len() != self.columns.len() {
            return Err(EngineFault::Plan.into());
        }
        let mut places = vec![0_u32; args.number_rows];
        for (weights, column) in self.columns.iter().zip(&args.args) {
            let column = column.to_array(args.number_rows)?;
            weights.add(&column, &mut places)?;
        }
        Ok(ColumnarValue::Array(Arc::new(UInt32Array::from(places))))
    }
}
