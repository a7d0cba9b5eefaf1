namespace Orleans.Joblib.Tests;

/// <summary>An exception as users write them: its constructor takes what no serializer would guess.</summary>
#pragma warning disable CA1032
public sealed class UserException(int code, IReadOnlyList<string> hints) : Exception($"Code {code}: {string.Join(", ", hints)}")
#pragma warning restore CA1032
{
    public int Code => code;

    public IReadOnlyList<string> Hints => hints;
}
