namespace Orleans.Joblib;

/// <summary>One closure object in a payload: which of its fields are needed, by everyone that shares it, and which have been written.</summary>
internal sealed class ClosureState(ClosureCodec codec, object closure)
{
    internal ClosureCodec Codec { get; } = codec;

    internal object Closure { get; } = closure;

    internal int Id { get; set; }

    internal bool IsQueued { get; set; }

    internal bool[] Needed { get; } = new bool[codec.Fields.Length];

    internal bool[] Written { get; } = new bool[codec.Fields.Length];

    internal HashSet<ClosureUse> Uses { get; } = new(ReferenceEqualityComparer.Instance);
}
