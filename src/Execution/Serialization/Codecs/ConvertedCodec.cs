namespace Orleans.Joblib;

/// <summary>A type of the framework through its public parts, checked when they are read.</summary>
internal sealed class ConvertedCodec<T>(Action<GraphWriter, T> write, Func<GraphReader, T> read, bool isWhole = true) : FieldCodec<T>
{
    internal override bool IsWhole => isWhole;

    internal override void Write(GraphWriter writer, ref T value) => write(writer, value);

    internal override void Read(GraphReader reader, ref T value) => value = read(reader);
}
