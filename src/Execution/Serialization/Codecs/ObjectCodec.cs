namespace Orleans.Joblib;

/// <summary>Writes and reads objects of one type: how to allocate one, and what it contains. Stateless between calls, thread-safe.</summary>
/// <param name="type">The type by which the far side finds the same codec: mostly the objects' own.</param>
internal abstract class ObjectCodec(Type type)
{
    /// <summary>The memory of an object without its fields.</summary>
    internal const int HeaderSize = 24;

    internal const byte Ordinary = 0;
    internal const byte ExceptionRoot = 1;
    internal const byte Serializer = 2;
    internal const byte OrleansSerializer = 3;
    internal const byte StoredArray = 4;

    private byte[]? _description;

    internal Type Type => type;

    /// <summary>Whether an object is constructed from what it holds, which is therefore written inside the reference to it.</summary>
    internal virtual bool IsConstructed => false;

    internal virtual bool IsClosure => false;

    /// <summary>Whether an object is whole as soon as the reference to it has been read.</summary>
    internal virtual bool IsWhole => false;

    /// <summary>Which of the ways to write the type this is.</summary>
    internal virtual byte Variant => Ordinary;

    /// <summary>Tells layouts of the framework's types apart; 0 where the module's identity does.</summary>
    internal virtual uint Fingerprint => 0;

    /// <summary>Writes what it takes to allocate the object, and has its contents written later if there are any.</summary>
    internal abstract void WriteNew(GraphWriter writer, object value, int id);

    internal abstract object ReadNew(GraphReader reader, int id);

    internal virtual void WriteBody(GraphWriter writer, object value) => throw new InvalidOperationException($"'{type}' has no contents.");

    internal virtual void ReadBody(GraphReader reader, object value) => throw PayloadReader.Malformed($"contents for a '{type}'");

    /// <summary>Fills an object from what <see cref="ReadBody"/> kept.</summary>
    internal virtual void Fill(object value, object contents) => throw PayloadReader.Malformed($"contents for a '{type}'");

    internal byte[] DescriptionFor(CodecTable codecs)
    {
        if (_description is { } known)
        {
            return known;
        }

        var writer = new PayloadWriter();
        TypeNames.Write(writer, type, codecs.Code);
        writer.WriteByte(Variant);
        writer.WriteVarUInt(Fingerprint);
        DescribeMore(writer, codecs);
        return _description = writer.ToArray();
    }

    private protected virtual void DescribeMore(PayloadWriter writer, CodecTable codecs)
    {
    }
}
