namespace Orleans.Joblib;

/// <summary>Writes and reads values of one static type where they lie: in a field, an element, a column.</summary>
internal abstract class FieldCodec
{
    /// <summary>Bytes that a value takes in memory.</summary>
    internal abstract int Size { get; }

    /// <summary>Bytes that every value takes on the wire at least.</summary>
    internal virtual int LeastBytes => 1;

    /// <summary>Whether values are copied as they lie in memory.</summary>
    internal virtual bool IsRaw => false;

    /// <summary>Whether differences between values are small where the values are near each other.</summary>
    internal virtual bool IsWholeNumber => false;

    /// <summary>Whether a value is whole as soon as it is read: it refers to nothing that is filled later, so its hash code can be taken.</summary>
    internal virtual bool IsWhole => false;
}
