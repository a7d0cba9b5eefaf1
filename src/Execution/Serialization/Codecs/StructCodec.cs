namespace Orleans.Joblib;

/// <summary>A struct, field by field.</summary>
internal sealed class StructCodec<T> : FieldCodec<T>
    where T : struct
{
    private readonly StructWriter<T> _write;
    private readonly StructReader<T> _read;

    public StructCodec(FieldPlan plan)
    {
        _write = plan.EmitStructWriter<T>();
        _read = plan.EmitStructReader<T>();
        LeastBytes = plan.LeastBytes;
        IsWhole = plan.Codecs.All(codec => codec.IsWhole);
    }

    internal override int LeastBytes { get; }

    internal override bool IsWhole { get; }

    internal override void Write(GraphWriter writer, ref T value) => _write(writer, ref value);

    internal override void Read(GraphReader reader, ref T value) => _read(reader, ref value);
}
