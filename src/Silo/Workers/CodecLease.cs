namespace Orleans.Joblib.Silo;

/// <summary>The right to use a code set's codec; while one is held, the code set stays loaded.</summary>
internal sealed class CodecLease(CodeLease code, PayloadCodec codec) : IDisposable
{
    internal PayloadCodec Codec => codec;

    internal CodeLease Code => code;

    public void Dispose() => code.Dispose();
}
