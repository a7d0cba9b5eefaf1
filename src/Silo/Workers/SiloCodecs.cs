using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Silo;

/// <summary>The codec of each code set that the silo has loaded; it goes with the code set.</summary>
internal sealed class SiloCodecs(CodeContexts contexts)
{
    private readonly ConditionalWeakTable<ICodeResolver, PayloadCodec> _codecs = [];

    /// <summary>Takes a code set into use.</summary>
    /// <returns>Null when the silo does not have it.</returns>
    internal CodecLease? TryAcquire(CodeHash code) =>
        contexts.TryAcquire(code) is { } lease ? new CodecLease(lease, _codecs.GetValue(lease.Resolver, Create)) : null;

    /// <summary>For calls of another runtime.</summary>
    internal CodecLease WithoutCode { get; } = new(null, Create(new OwnCode()));

    private static PayloadCodec Create(ICodeResolver resolver)
    {
        // The code set's assemblies are loaded when the first payload names them: not before this.
        OrleansStandardServices.Prepare();

        // The encoder is for faults only: calls bring the encoder of their results with them.
        return new PayloadCodec(new PayloadEncoder(NoReferences.Instance, new SerializerTable()), new PayloadDecoder(resolver));
    }
}
