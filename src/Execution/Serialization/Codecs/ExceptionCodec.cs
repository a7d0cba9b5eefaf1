using System.Collections;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>An exception as its own type: what every exception has, its stack as text, and the fields of its type.</summary>
internal sealed class ExceptionCodec : ObjectCodec
{
    private readonly CodecTable _codecs;
    private readonly Action<GraphWriter, object> _write;
    private readonly Action<GraphReader, object> _read;
    private readonly int _size;

    internal ExceptionCodec(Type type, FieldPlan plan, CodecTable codecs)
        : base(type)
    {
        _codecs = codecs;
        _write = plan.EmitWriter();
        _read = plan.EmitReader();
        _size = 256 + plan.Size;
        Fingerprint = SharedCode.IsShared(type.Assembly) ? plan.Fingerprint() : 0;
    }

    internal override uint Fingerprint { get; }

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(_size);
        writer.Enqueue(id);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(_size);
        reader.Enqueue(id);
        var exception = (Exception)RuntimeHelpers.GetUninitializedObject(Type);
        ExceptionParts.Construct(exception);
        return exception;
    }

    internal override void WriteBody(GraphWriter writer, object value)
    {
        var exception = (Exception)value;
        writer.WriteOptionalString(ExceptionParts.Message(exception));
        writer.WriteVarInt(exception.HResult);
        writer.WriteOptionalString(ExceptionParts.HelpLink(exception));
        writer.WriteOptionalString(ExceptionParts.Source(exception));
        writer.WriteOptionalString(ExceptionParts.StackOf(exception));
        writer.WriteReference(ExceptionParts.Inner(exception));
        var data = TravellingData(exception);
        writer.WriteVarUInt((ulong)data.Count);
        foreach (var (key, entry) in data)
        {
            writer.WriteReference(key);
            writer.WriteReference(entry);
        }

        _write(writer, value);
    }

    internal override void ReadBody(GraphReader reader, object value)
    {
        var exception = (Exception)value;
        ExceptionParts.Message(exception) = reader.ReadOptionalString();
        exception.HResult = (int)reader.ReadVarInt();
        ExceptionParts.HelpLink(exception) = reader.ReadOptionalString();
        ExceptionParts.Source(exception) = reader.ReadOptionalString();
        if (reader.ReadOptionalString() is { } stack)
        {
            ExceptionParts.SetStack(exception, stack);
        }

        ExceptionParts.Inner(exception) = ReferenceCodec<Exception>.Cast(reader.ReadReference());
        for (var count = reader.ReadCount(2); count > 0; count--)
        {
            var key = reader.ReadReference() ?? throw PayloadReader.Malformed("a key is null");
            reader.Charge(128);
            exception.Data[key] = reader.ReadReference();
        }

        _read(reader, value);
    }

    // Whatever is in Data was put there for a reader of logs: one entry that cannot travel must not cost the exception.
    private List<(object Key, object? Value)> TravellingData(Exception exception)
    {
        var travelling = new List<(object, object?)>();
        if (ExceptionParts.Data(exception) is not { Count: > 0 } data)
        {
            return travelling;
        }

        foreach (DictionaryEntry entry in data)
        {
            // Keys are compared, and found again, by value only where they are strings and numbers.
            if (entry.Key is string or ValueType && Travels(entry.Key) && Travels(entry.Value))
            {
                travelling.Add((entry.Key, entry.Value));
            }
        }

        return travelling;
    }

    private bool Travels(object? value)
    {
        if (value is null or string)
        {
            return true;
        }

        if (value is Exception)
        {
            // It may hold this one.
            return false;
        }

        try
        {
            var trial = new GraphWriter(_codecs);
            trial.WriteReference(value);
            trial.Complete();
            return true;
        }
        catch (Exception refusal) when (refusal is RefusedException or JoblibException)
        {
            return false;
        }
    }
}
