using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Silo;

/// <summary>The codec of each code set that the silo has loaded; it goes with the code set.</summary>
internal sealed class SiloCodecs
{
    private readonly ConditionalWeakTable<ICodeResolver, PayloadCodec> _codecs = [];
    private readonly CodeContexts _contexts;

    public SiloCodecs(CodeContexts contexts)
    {
        _contexts = contexts;
        OrleansRegistry.Prepare();
    }

    /// <summary>Takes a code set into use.</summary>
    /// <returns>Null when the silo does not have it.</returns>
    internal CodecLease? TryAcquire(CodeHash code) =>
        _contexts.TryAcquire(code) is { } lease ? new CodecLease(lease, _codecs.GetValue(lease.Resolver, Create)) : null;

    // Only for faults: calls bring the encoder of their results with them.
    private static PayloadCodec Create(ICodeResolver resolver) => new(new PayloadEncoder(NoReferences.Instance, new SerializerTable()), new PayloadDecoder(resolver));
}
