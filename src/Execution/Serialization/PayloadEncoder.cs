using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Turns calls, results and failures into bytes. Thread-safe; one for a run, a process or a code set: it keeps what it learnt about types alive.</summary>
internal sealed class PayloadEncoder
{
    private readonly CodecTable _codecs;
    private readonly byte[] _serializers;
    private readonly ConcurrentDictionary<(Type Form, DelegateKey Key), object> _shapes = new();
    private GraphWriter? _spare;
    private object? _lastShape;

    /// <param name="code">Is told of the user's assemblies that payloads name.</param>
    /// <param name="serializers">The user's serializers; those that this process has registered by now when null.</param>
    internal PayloadEncoder(ICodeReferences code, SerializerTable? serializers = null)
    {
        // As they are now: what one payload says of a type must hold for the next.
        Serializers = (serializers ?? SerializerTable.OfProcess).Copy();
        _codecs = new CodecTable(code, Serializers, new OrleansSerializers());
        var list = new PayloadWriter();
        var description = new PayloadWriter();
        foreach (var (type, serializer) in Serializers.All)
        {
            foreach (var named in (Type[])[type, serializer.GetType()])
            {
                description.Clear();
                TypeNames.Write(description, named, code);
                list.WriteBlob(description.Written);
            }
        }

        _serializers = list.ToArray();
    }

    /// <summary>The user's serializers that it uses: for the decoder of the results.</summary>
    internal SerializerTable Serializers { get; }

    /// <summary>The bytes of a batch.</summary>
    /// <param name="calls">At least one.</param>
    /// <param name="arrays">Where large arrays go; into the payload when null.</param>
    /// <exception cref="CannotTravelException">A call holds something that cannot travel.</exception>
    internal byte[] EncodeCalls<T>(ReadOnlySpan<Delayed<T>> calls, IArraySink? arrays = null)
    {
        if (calls.IsEmpty)
        {
            throw new ArgumentException("A batch has at least one call.", nameof(calls));
        }

        var writer = Rent(arrays);
        var current = 0;
        try
        {
            PayloadFormat.Write(writer, PayloadFormat.Calls);
            writer.WriteBlob(_serializers);
            writer.WriteVarUInt((ulong)calls.Length);
            var shape = ShapeOf(calls[0], writer);
            var same = 1;
            while (same < calls.Length && shape.Matches(calls[same]))
            {
                same++;
            }

            if (same == calls.Length)
            {
                writer.WriteVarUInt(1);
                writer.WriteBlob(shape.Description);
                writer.Charge((long)shape.Memory * calls.Length);
                shape.Write(writer, calls);
            }
            else
            {
                WriteMixed(writer, calls, ref current);
            }

            return Finish(writer);
        }
        catch (RefusedException refusal)
        {
            throw CannotTravel(writer, refusal, "The call", calls[current].ToString());
        }
        finally
        {
            Return(writer);
        }
    }

    /// <summary>The bytes of a batch's results.</summary>
    /// <param name="results">In the calls' order.</param>
    /// <param name="arrays">Where large arrays go; into the payload when null.</param>
    /// <exception cref="CannotTravelException">A result holds something that cannot travel.</exception>
    internal byte[] EncodeResults<T>(ReadOnlySpan<T> results, IArraySink? arrays = null)
    {
        var writer = Rent(arrays);
        try
        {
            PayloadFormat.Write(writer, PayloadFormat.Results);
            writer.WriteVarUInt((ulong)results.Length);
            writer.SetRoot("result");
            Column.Write(writer, MemoryMarshal.CreateSpan(ref Unsafe.AsRef(in MemoryMarshal.GetReference(results)), results.Length), _codecs.FieldFor<T>());
            return Finish(writer);
        }
        catch (RefusedException refusal)
        {
            throw CannotTravel(writer, refusal, "A result", GraphPath.NameOf(typeof(T)));
        }
        finally
        {
            Return(writer);
        }
    }

    /// <summary>The bytes of a failure. One that cannot travel becomes a <see cref="RemoteCallException"/> on the far side.</summary>
    internal byte[] EncodeFailure(Exception exception, CallFailure? failure)
    {
        var writer = Rent(null);
        try
        {
            failure?.AttachTo(exception);
            PayloadFormat.Write(writer, PayloadFormat.Failure);
            writer.WriteReference(exception);
            return Finish(writer);
        }
        catch (RefusedException refusal)
        {
            throw CannotTravel(writer, refusal, "A failure", exception.GetType().Name);
        }
        finally
        {
            Return(writer);
        }
    }

    private static byte[] Finish(GraphWriter writer)
    {
        writer.Complete();

        // The reader allows itself memory in proportion to a payload. Where little data means many objects, say so with zeros.
        var due = (writer.Charged - DecodeLimits.FreeMemory + DecodeLimits.MemoryFactor - 1) / DecodeLimits.MemoryFactor;
        for (var missing = due - writer.Length; missing > 0;)
        {
            var part = (int)Math.Min(missing, 1 << 16);
            writer.Reserve(part)[..part].Clear();
            writer.Advance(part);
            missing -= part;
        }

        return writer.ToArray();
    }

    private static CannotTravelException CannotTravel(GraphWriter writer, RefusedException refusal, string what, string text)
    {
        var path = writer.PathTo(refusal);
        var type = refusal.Type is null ? "It" : $"'{GraphPath.NameOf(refusal.Type)}'";
        var remedy = refusal.Remedy is null ? "" : $"{refusal.Remedy}, or ";
        var advice = $"{remedy}make it inside the call, pass what it is made from, register a serializer (CallSerializers.Register) or wrap it (Portable.Wrap).";
        return new CannotTravelException(
            path, $"{what} '{text}' cannot be sent to another process: {path}. {type} {refusal.Reason}. {char.ToUpperInvariant(advice[0])}{advice[1..]}", null);
    }

    private void WriteMixed<T>(GraphWriter writer, ReadOnlySpan<Delayed<T>> calls, ref int current)
    {
        var shapes = new List<CallShape<T>>();
        var groups = new List<List<Delayed<T>>>();
        var order = new List<(int Shape, int Count)>();
        var last = -1;
        for (current = 0; current < calls.Length; current++)
        {
            var call = calls[current];
            if (last < 0 || !shapes[last].Matches(call))
            {
                var shape = ShapeOf(call, writer);
                last = shapes.IndexOf(shape);
                if (last < 0)
                {
                    last = shapes.Count;
                    shapes.Add(shape);
                    groups.Add([]);
                }

                order.Add((last, 0));
            }

            groups[last].Add(call);
            order[^1] = (last, order[^1].Count + 1);
        }

        current = 0;
        writer.WriteVarUInt((ulong)shapes.Count);
        foreach (var shape in shapes)
        {
            writer.WriteBlob(shape.Description);
        }

        foreach (var (shape, count) in order)
        {
            writer.WriteVarUInt((ulong)shape);
            writer.WriteVarUInt((ulong)count);
        }

        for (var i = 0; i < shapes.Count; i++)
        {
            current = calls.IndexOf(groups[i][0]);
            writer.Charge((shapes[i].Memory + 16L) * groups[i].Count);
            shapes[i].Write(writer, CollectionsMarshal.AsSpan(groups[i]));
        }

        current = 0;
    }

    private CallShape<T> ShapeOf<T>(Delayed<T> call, GraphWriter writer)
    {
        if (_lastShape is CallShape<T> last && last.Matches(call))
        {
            return last;
        }

        if (call.IsNull)
        {
            throw new ArgumentException("A call of the batch is null. Make every call with Joblib.Delayed.");
        }

        var key = (call.Form!.GetType(), DelegateKey.Of(call.Function));
        if (!_shapes.TryGetValue(key, out var shape))
        {
            shape = _shapes.GetOrAdd(key, CallShape<T>.Of(call, writer));
        }

        _lastShape = shape;
        return (CallShape<T>)shape;
    }

    private GraphWriter Rent(IArraySink? arrays)
    {
        var writer = Interlocked.Exchange(ref _spare, null) ?? new GraphWriter(_codecs);
        writer.Arrays = arrays;
        return writer;
    }

    private void Return(GraphWriter writer)
    {
        writer.Reset();
        Volatile.Write(ref _spare, writer);
    }
}
