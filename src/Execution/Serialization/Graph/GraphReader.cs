using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Reads what <see cref="GraphWriter"/> wrote. Not thread-safe; one payload.</summary>
internal sealed class GraphReader(DecodingContext context, ReadOnlyMemory<byte> payload, long budget) : PayloadReader(payload, budget)
{
    private readonly List<ObjectCodec> _types = [];
    private readonly List<DelegatePlan> _methods = [];
    private readonly Dictionary<int, object> _late = [];
    private readonly List<int> _queue = [];
    private object?[] _objects = new object?[64];
    private ObjectCodec[] _codecs = new ObjectCodec[64];
    private int _count;
    private int _queueHead;
    private int _depth;

    internal DecodingContext Context => context;

    /// <summary>Where the arrays are that the payload refers to; null when only files of the user's own can be.</summary>
    internal IArraySource? Arrays { get; init; }

    internal object? ReadReference()
    {
        var number = ReadVarUInt();
        if (number == 0)
        {
            return null;
        }

        if (number <= (ulong)_count)
        {
            return _objects[(int)number] ?? throw Malformed("an object is constructed from itself");
        }

        if (number != (ulong)_count + 1)
        {
            throw Malformed("an object's number is out of turn");
        }

        var id = ++_count;
        if (id == _objects.Length)
        {
            Array.Resize(ref _objects, 2 * id);
            Array.Resize(ref _codecs, 2 * id);
        }

        var codec = ReadType();
        _codecs[id] = codec;
        if (!codec.IsConstructed)
        {
            return _objects[id] = codec.ReadNew(this, id);
        }

        Enter();
        var value = codec.ReadNew(this, id);
        _depth--;
        return _objects[id] = value;
    }

    internal DelegatePlan ReadMethod()
    {
        var index = ReadVarUInt();
        if (index < (ulong)_methods.Count)
        {
            return _methods[(int)index];
        }

        if (index != (ulong)_methods.Count)
        {
            throw Malformed("a method's number is out of turn");
        }

        var plan = context.PlanOf(ReadBlob());
        _methods.Add(plan);
        return plan;
    }

    internal void Enqueue(int id) => _queue.Add(id);

    internal void EnqueueLate(int id) => _late.Add(id, NotStarted);

    /// <summary>What <see cref="ObjectCodec.ReadBody"/> of a hash table keeps until its keys are whole.</summary>
    internal void KeepForFill(object target, object contents)
    {
        if (_lateBody == 0 || !ReferenceEquals(_objects[_lateBody], target))
        {
            throw Malformed("a table is filled out of turn");
        }

        _late[_lateBody] = contents;
    }

    internal bool IsLateBody => _lateBody != 0;

    private int _lateBody;

    private static readonly object NotStarted = new();

    internal void DrainQueue()
    {
        while (_queueHead < _queue.Count)
        {
            var id = _queue[_queueHead++];
            var before = _lateBody;
            _lateBody = 0;
            _codecs[id].ReadBody(this, _objects[id] ?? throw Malformed("an object is constructed from itself"));
            _lateBody = before;
        }
    }

    internal void DrainNested()
    {
        Enter();
        DrainQueue();
        _depth--;
    }

    internal void Complete()
    {
        while (true)
        {
            DrainQueue();
            var step = ReadByte();
            if (step == GraphWriter.End)
            {
                break;
            }

            var number = ReadVarUInt();
            if (number == 0 || number > (ulong)_count || _objects[(int)number] is not { } target)
            {
                throw Malformed("contents for an object that is not there");
            }

            var id = (int)number;
            switch (step)
            {
                case GraphWriter.Closure when _codecs[id] is ClosureCodec closure:
                    closure.ReadFields(this, target);
                    break;

                case GraphWriter.LateBody when _late.TryGetValue(id, out var state) && state == NotStarted:
                    _lateBody = id;
                    _codecs[id].ReadBody(this, target);
                    _lateBody = 0;
                    break;

                case GraphWriter.LateFill when _late.TryGetValue(id, out var contents) && contents != NotStarted:
                    _codecs[id].Fill(target, contents);
                    _late.Remove(id);
                    break;

                default:
                    throw Malformed("an unknown step");
            }
        }

        if (_late.Count > 0)
        {
            throw Malformed("a table is never filled");
        }
    }

    internal void Enter()
    {
        if (++_depth > GraphWriter.DeepestNesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Malformed("it is nested too deeply");
        }
    }

    /// <summary>A payload inside this one, of its own objects.</summary>
    internal GraphReader Nested(ReadOnlyMemory<byte> bytes) => new(context, bytes, Budget) { _depth = _depth, Arrays = Arrays };

    internal void TakeBudgetOf(GraphReader nested) => RefundTo(nested.Budget);

    private ObjectCodec ReadType()
    {
        var index = ReadVarUInt();
        if (index < (ulong)_types.Count)
        {
            return _types[(int)index];
        }

        if (index != (ulong)_types.Count)
        {
            throw Malformed("a type's number is out of turn");
        }

        if (_types.Count >= context.Limits.MaxTypes)
        {
            throw Malformed("it names too many types");
        }

        var codec = context.CodecOf(ReadBlob());
        _types.Add(codec);
        return codec;
    }
}
