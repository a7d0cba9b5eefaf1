namespace Orleans.Joblib.Silo;

/// <summary>The right to use a code set's codec; while one is held, the code set stays loaded.</summary>
/// <param name="code">The code set; null for calls of another runtime, which bring what they need.</param>
/// <param name="codec">Its codec; without a code set it is for faults alone.</param>
internal sealed class CodecLease(CodeLease? code, PayloadCodec codec) : IDisposable
{
    internal PayloadCodec Codec => codec;

    internal CodeLease? Code => code;

    public void Dispose() => code?.Dispose();
}
