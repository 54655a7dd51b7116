//! A Parquet file, written a row group at a time.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::store::{Cell, Column, ColumnKind};

/// Rows of a row group at most: enough for readers to skip by, few enough to hold.
const ROWS: usize = 65_536;
/// Bytes of text in a row group, about.
const BYTES: usize = 32 * 1024 * 1024;

pub struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Values>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> ParquetFile<W> {
    pub fn create(name: &str, columns: &[Column], sink: W) -> Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<_>>()?;
        let schema = Type::group_type_builder(name).with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("order-timeline {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, columns: columns.iter().map(|column| Values::of(column.kind)).collect(), rows: 0, bytes: 0 })
    }

    pub fn push(&mut self, row: Vec<Cell>) -> Result<()> {
        for (values, cell) in self.columns.iter_mut().zip(row) {
            self.bytes += values.push(cell);
        }
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES { self.flush() } else { Ok(()) }
    }

    pub fn close(mut self) -> Result<()> {
        self.flush()?;
        self.writer.close()?;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for values in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                values.write(&mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn field(column: &Column) -> Result<TypePtr> {
    let (physical, logical) = match column.kind {
        ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Json => (PhysicalType::BYTE_ARRAY, Some(LogicalType::Json)),
        ColumnKind::Boolean => (PhysicalType::BOOLEAN, None),
        ColumnKind::Integer => (PhysicalType::INT32, None),
        ColumnKind::BigInteger => (PhysicalType::INT64, None),
        ColumnKind::Double => (PhysicalType::DOUBLE, None),
        ColumnKind::Timestamp => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        ColumnKind::Date => (PhysicalType::INT32, Some(LogicalType::Date)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

/// The values of a column in the row group that is being filled: those that are there, and for each row
/// whether it has one.
enum Values {
    Text(Vec<ByteArray>, Vec<i16>),
    Boolean(Vec<bool>, Vec<i16>),
    Integer(Vec<i32>, Vec<i16>),
    BigInteger(Vec<i64>, Vec<i16>),
    Double(Vec<f64>, Vec<i16>),
}

impl Values {
    fn of(kind: ColumnKind) -> Self {
        let levels = Vec::new();
        match kind {
            ColumnKind::Text | ColumnKind::Json => Self::Text(Vec::new(), levels),
            ColumnKind::Boolean => Self::Boolean(Vec::new(), levels),
            ColumnKind::Integer | ColumnKind::Date => Self::Integer(Vec::new(), levels),
            ColumnKind::BigInteger | ColumnKind::Timestamp => Self::BigInteger(Vec::new(), levels),
            ColumnKind::Double => Self::Double(Vec::new(), levels),
        }
    }

    /// Gives the bytes that the value takes, about.
    fn push(&mut self, cell: Cell) -> usize {
        match (self, cell) {
            (Self::Text(values, levels), Cell::Text(text)) => {
                let bytes = text.len();
                keep(values, levels, Some(ByteArray::from(text.into_bytes())));
                return bytes;
            }
            (Self::Boolean(values, levels), Cell::Boolean(value)) => keep(values, levels, Some(value)),
            (Self::Integer(values, levels), Cell::Integer(value)) => keep(values, levels, Some(value)),
            (Self::BigInteger(values, levels), Cell::BigInteger(value)) => keep(values, levels, Some(value)),
            (Self::Double(values, levels), Cell::Double(value)) => keep(values, levels, Some(value)),
            // A cell is of its column's kind, or null.
            (Self::Text(values, levels), _) => keep(values, levels, None),
            (Self::Boolean(values, levels), _) => keep(values, levels, None),
            (Self::Integer(values, levels), _) => keep(values, levels, None),
            (Self::BigInteger(values, levels), _) => keep(values, levels, None),
            (Self::Double(values, levels), _) => keep(values, levels, None),
        }
        8
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        match self {
            Self::Text(values, levels) => write::<ByteArrayType>(column, values, levels),
            Self::Boolean(values, levels) => write::<BoolType>(column, values, levels),
            Self::Integer(values, levels) => write::<Int32Type>(column, values, levels),
            Self::BigInteger(values, levels) => write::<Int64Type>(column, values, levels),
            Self::Double(values, levels) => write::<DoubleType>(column, values, levels),
        }
    }
}

fn keep<T>(values: &mut Vec<T>, levels: &mut Vec<i16>, value: Option<T>) {
    levels.push(i16::from(value.is_some()));
    values.extend(value);
}

fn write<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &mut Vec<i16>,
) -> Result<()> {
    column.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    levels.clear();
    Ok(())
}
