namespace Orleans.Joblib;

/// <summary>An exception where it may fail to travel: its words, and itself in a payload of its own, which the far side may be unable to read.</summary>
internal sealed class ExceptionRootCodec(CodecTable codecs) : ObjectCodec(typeof(Exception))
{
    private const int DeepestInner = 16;
    private const int Size = 1024;

    internal override bool IsConstructed => true;

    internal override byte Variant => ExceptionRoot;

    internal override void WriteNew(GraphWriter writer, object value, int id) => Write(writer, (Exception)value, 0);

    internal override object ReadNew(GraphReader reader, int id) => Read(reader, 0);

    private void Write(GraphWriter writer, Exception exception, int depth)
    {
        writer.Charge(Size);
        writer.WriteString(exception.GetType().FullName ?? exception.GetType().Name);
        writer.WriteString(ExceptionParts.MessageOf(exception));
        writer.WriteOptionalString(ExceptionParts.StackOf(exception));
        WriteFailure(writer, CallFailure.Of(exception));
        var nested = new GraphWriter(codecs) { InException = true };
        byte[] whole;
        try
        {
            nested.WriteReference(exception);
            nested.Complete();
            whole = nested.ToArray();
            writer.Charge(nested.Charged);
        }
        catch (Exception refusal) when (refusal is RefusedException or JoblibException)
        {
            whole = [];
        }

        writer.WriteBlob(whole);
        if (whole.Length > 0)
        {
            return;
        }

        var inner = depth < DeepestInner ? exception.InnerException : null;
        writer.WriteByte(inner is null ? (byte)0 : (byte)1);
        if (inner is not null)
        {
            Write(writer, inner, depth + 1);
        }
    }

    private static Exception Read(GraphReader reader, int depth)
    {
        reader.Charge(Size);
        var type = reader.ReadString();
        var message = reader.ReadString();
        var stack = reader.ReadOptionalString();
        var failure = ReadFailure(reader);
        var whole = reader.ReadMemory(reader.ReadCount());
        Exception? exception = null;
        if (whole.Length > 0)
        {
            var nested = reader.Nested(whole);
            try
            {
                exception = nested.ReadReference() as Exception;
                nested.Complete();
            }
            catch (Exception problem) when (problem is not OutOfMemoryException)
            {
                // Its type is not known here, or is another version: the words are left.
                exception = null;
            }

            reader.TakeBudgetOf(nested);
            exception ??= new RemoteCallException(type, message, stack, null);
        }
        else
        {
            var inner = reader.ReadByte() == 0 ? null : depth < DeepestInner ? Read(reader, depth + 1) : throw PayloadReader.Malformed("it is nested too deeply");
            exception = new RemoteCallException(type, message, stack, inner);
        }

        if (exception is RemoteCallException && exception.StackTrace is null && stack is not null)
        {
            ExceptionParts.SetStack(exception, stack);
        }

        failure?.AttachTo(exception);
        return exception;
    }

    private static void WriteFailure(PayloadWriter writer, CallFailure? failure)
    {
        writer.WriteByte(failure is null ? (byte)0 : (byte)1);
        if (failure is not null)
        {
            writer.WriteVarInt(failure.CallIndex);
            writer.WriteString(failure.Call);
            writer.WriteOptionalString(failure.StackTrace);
            writer.WriteString(failure.Worker);
        }
    }

    private static CallFailure? ReadFailure(PayloadReader reader) =>
        reader.ReadByte() == 0 ? null : new CallFailure(reader.ReadVarInt(), reader.ReadString(), reader.ReadOptionalString(), reader.ReadString());
}
