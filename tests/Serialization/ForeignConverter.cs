namespace Orleans.Joblib.Tests;

[RegisterConverter]
public sealed class ForeignConverter : IConverter<Foreign, ForeignSurrogate>
{
    public Foreign ConvertFromSurrogate(in ForeignSurrogate surrogate) => new($"surrogate of {surrogate.Text}");

    public ForeignSurrogate ConvertToSurrogate(in Foreign value) => new() { Text = value.Text };
}
