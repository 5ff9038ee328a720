//! The receipt: which table was released of an opening.

use cairn_question::{Envelope, Hash, Moment, QuestionId, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::refused::Refused;

/// Payload type of a receipt's envelope.
pub const RECEIPT_TYPE: &str = "application/vnd.cairn.receipt.v1+json";

/// Most bytes of a signed receipt: five hashes, base64 in its envelope.
pub const RECEIPT_BYTES_MAX: usize = 4_096;

/// The receipt as it is written: JSON, signed by the coordinator. It has the hash of the *released* table only: a few withheld cells are
/// guessed from the hash of an exact one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptV1 {
    /// Format, 1.
    pub cairn_receipt: u8,
    /// The question's number.
    pub question: QuestionId,
    /// SHA-256 of the manifest's text.
    pub manifest: Hash,
    /// H₂ of the attempt that opened.
    pub opening: Hash,
    /// SHA-256 of the table that was released.
    pub table: Hash,
    /// Stands for every vector's hash, commitment and signature of the round.
    pub transcript: Hash,
    /// When.
    pub at: Moment,
}

/// What an opened round leaves for whoever publishes its total.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpenedRound {
    /// H₂ of the attempt that opened.
    pub opening: Hash,
    /// Stands for every vector, commitment and signature.
    pub transcript: Hash,
}

/// A receipt that the coordinator signed for an opening of this node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt(ReceiptV1);

impl ReceiptV1 {
    /// Signs it with the coordinator's key.
    #[must_use]
    pub fn sign(&self, coordinator: &SigningKey) -> Envelope {
        Envelope::sign(RECEIPT_TYPE, &serde_json::to_vec(self).unwrap_or_default(), coordinator)
    }
}

impl Receipt {
    /// Reads a receipt of the round whose manifest and H₂ these are.
    ///
    /// # Errors
    /// [`Refused::ReceiptSignature`] or [`Refused::OtherReceipt`].
    pub fn open(
        bytes: &[u8],
        coordinator: &VerifyingKey,
        (manifest, opening): (&Hash, &Hash),
    ) -> Result<Self, Refused> {
        let envelope = Envelope::parse(bytes, RECEIPT_BYTES_MAX).map_err(|_| Refused::ReceiptSignature)?;
        let payload = envelope.open(RECEIPT_TYPE, coordinator).map_err(|_| Refused::ReceiptSignature)?;
        let doc: ReceiptV1 = serde_json::from_slice(&payload).map_err(|_| Refused::ReceiptSignature)?;
        let ours = doc.cairn_receipt == 1 && doc.manifest == *manifest && doc.opening == *opening;
        if ours { Ok(Self(doc)) } else { Err(Refused::OtherReceipt) }
    }

    /// What it says.
    #[must_use]
    pub const fn says(&self) -> &ReceiptV1 {
        &self.0
    }

    /// Holds a published table against it.
    ///
    /// # Errors
    /// [`Refused::OtherTable`].
    pub fn is_of(&self, table: &Hash) -> Result<(), Refused> {
        if self.0.table == *table { Ok(()) } else { Err(Refused::OtherTable) }
    }
}
