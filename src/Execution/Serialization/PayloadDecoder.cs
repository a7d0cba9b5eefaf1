namespace Orleans.Joblib;

/// <summary>Turns bytes into calls, results and failures. Thread-safe; one for a code set, which it keeps loaded.</summary>
/// <remarks>
/// Whatever the bytes are, it ends with the value or with a <see cref="JoblibException"/>, and takes memory in proportion to them. It makes objects only of types
/// that the code set, the framework, Orleans and Orleans.Joblib hold. It runs no code of theirs but what hash tables need of their keys and comparers, static
/// constructors, and serializers.
/// </remarks>
internal sealed class PayloadDecoder
{
    private const int MostContexts = 64;

    private readonly ICodeResolver _code;
    private readonly DecodeLimits _limits;
    private readonly OrleansSerializers _orleans = new();
    private readonly BlobTable<DecodingContext> _contexts = new();
    private readonly DecodingContext _context;

    /// <param name="code">The code set.</param>
    /// <param name="serializers">At a client the user's serializers, those of the encoder of its calls; null elsewhere: payloads of calls say which.</param>
    /// <param name="limits">What a payload may cost; the default when null.</param>
    internal PayloadDecoder(ICodeResolver code, SerializerTable? serializers = null, DecodeLimits? limits = null)
    {
        _code = code;
        _limits = limits ?? DecodeLimits.Default;
        _context = NewContext(serializers ?? new SerializerTable());
    }

    /// <summary>Reads a batch.</summary>
    /// <param name="payload">The bytes.</param>
    /// <param name="arrays">Where the arrays are that it refers to; only files of the user's own when null.</param>
    /// <exception cref="JoblibException">The payload is malformed, or needs code or arrays that are not here.</exception>
    internal DecodedCalls DecodeCalls(ReadOnlyMemory<byte> payload, IArraySource? arrays = null)
    {
        try
        {
            var context = ContextOf(payload, arrays, out var reader);
            var count = reader.ReadVarUInt();
            var shapeCount = reader.ReadVarUInt();
            if (count == 0 || count > (ulong)_limits.MaxCalls || shapeCount == 0 || shapeCount > count || shapeCount > (ulong)reader.Left)
            {
                throw PayloadReader.Malformed("a batch's number of calls");
            }

            DecodedCalls calls;
            if (shapeCount == 1)
            {
                var shape = context.ShapeOf(reader.ReadBlob());
                reader.Charge((long)shape.Memory * (long)count);
                calls = shape.Decode(reader, (int)count);
            }
            else
            {
                calls = ReadMixed(context, reader, (int)count, (int)shapeCount);
            }

            Close(reader);
            calls.ResultEncoder = context.ResultEncoder;
            return calls;
        }
        catch (Exception exception) when (exception is not JoblibException and not OutOfMemoryException)
        {
            throw PayloadReader.Malformed(exception.Message, exception);
        }
    }

    /// <summary>Reads the results of a batch.</summary>
    /// <param name="payload">The bytes.</param>
    /// <param name="results">As many as there were calls.</param>
    /// <param name="arrays">Where the arrays are that it refers to; only files of the user's own when null.</param>
    /// <exception cref="JoblibException">The payload is malformed, or has another number of results.</exception>
    internal void DecodeResults<T>(ReadOnlyMemory<byte> payload, Span<T> results, IArraySource? arrays = null)
    {
        try
        {
            var reader = Open(payload, PayloadFormat.Results, arrays);
            if (reader.ReadVarUInt() != (ulong)results.Length)
            {
                throw PayloadReader.Malformed("another number of results than of calls");
            }

            Column.Read(reader, results, _context.Codecs.FieldFor<T>());
            Close(reader);
        }
        catch (Exception exception) when (exception is not JoblibException and not OutOfMemoryException)
        {
            throw PayloadReader.Malformed(exception.Message, exception);
        }
    }

    /// <summary>Reads a failure; <see cref="CallFailureExtensions.GetCallFailure"/> tells of which call.</summary>
    /// <exception cref="JoblibException">The payload is malformed.</exception>
    internal Exception DecodeFailure(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var reader = Open(payload, PayloadFormat.Failure, null);
            var exception = reader.ReadReference() as Exception ?? throw PayloadReader.Malformed("a failure that is none");
            Close(reader);
            return exception;
        }
        catch (Exception exception) when (exception is not JoblibException and not OutOfMemoryException)
        {
            throw PayloadReader.Malformed(exception.Message, exception);
        }
    }

    private static void Close(GraphReader reader)
    {
        reader.Complete();
        if (reader.Peek().ContainsAnyExcept((byte)0))
        {
            throw PayloadReader.Malformed("something follows its end");
        }
    }

    private GraphReader Open(ReadOnlyMemory<byte> payload, byte kind, IArraySource? arrays)
    {
        var reader = new GraphReader(_context, payload, DecodeLimits.Budget(payload.Length)) { Arrays = arrays };
        PayloadFormat.Read(reader, kind);
        return reader;
    }

    private DecodingContext NewContext(SerializerTable serializers) =>
        new(_code, new CodecTable(NoReferences.Instance, serializers, _orleans), new PayloadEncoder(NoReferences.Instance, serializers), _limits);

    /// <summary>Begins to read calls, in the context of the serializers that they name: another run with the same code may have others.</summary>
    private DecodingContext ContextOf(ReadOnlyMemory<byte> payload, IArraySource? arrays, out GraphReader reader)
    {
        var start = Open(payload, PayloadFormat.Calls, arrays);
        var named = start.ReadBlob();
        if (named.IsEmpty)
        {
            reader = start;
            return _context;
        }

        if (!_contexts.TryGet(named, out var context))
        {
            // Lists that are kept: threads that read the same one at the same moment, and lists that cannot be read, are none.
            if (_contexts.Count >= MostContexts)
            {
                throw PayloadReader.Malformed($"calls with one code set use more than {MostContexts} different lists of serializers");
            }

            var serializers = new SerializerTable();
            for (var list = new PayloadReader(named.ToArray(), DecodeLimits.FreeMemory); list.Left > 0;)
            {
                var type = _context.TypeOf(list.ReadBlob());
                serializers.Add(type, _context.SerializerOf(list.ReadBlob(), type));
            }

            context = _contexts.Add(named, NewContext(serializers));
        }

        var rest = payload[^start.Left..];
        reader = new GraphReader(context, rest, DecodeLimits.Budget(payload.Length)) { Arrays = arrays };
        return context;
    }

    private static DecodedCalls ReadMixed(DecodingContext context, GraphReader reader, int count, int shapeCount)
    {
        var shapes = new CallShape[shapeCount];
        for (var i = 0; i < shapeCount; i++)
        {
            shapes[i] = context.ShapeOf(reader.ReadBlob());
        }

        var places = new List<int>[shapeCount];
        for (var i = 0; i < shapeCount; i++)
        {
            places[i] = [];
        }

        for (var at = 0; at < count;)
        {
            var shape = reader.ReadVarUInt();
            var length = reader.ReadVarUInt();
            if (shape >= (ulong)shapeCount || length == 0 || length > (ulong)(count - at))
            {
                throw PayloadReader.Malformed("a batch's order of calls");
            }

            reader.Charge((shapes[shape].Memory + 16L) * (long)length);
            for (; length > 0; length--)
            {
                places[shape].Add(at++);
            }
        }

        var calls = shapes[0].NewCalls(count);
        for (var i = 0; i < shapeCount; i++)
        {
            if (places[i].Count > 0)
            {
                shapes[i].Decode(reader, calls, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(places[i]));
            }
        }

        return calls;
    }
}
