using System.Globalization;
using System.IO.Compression;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>The UCI handwritten digits (see data/SOURCE.md): 1,797 images of 8 × 8.</summary>
internal static class Digits
{
    private const int FeatureCount = 64;
    private const int ClassCount = 10;

    public static Dataset Load()
    {
        using var resource = typeof(Digits).Assembly.GetManifestResourceStream("digits.csv.gz")
            ?? throw new InvalidOperationException("The resource 'digits.csv.gz' is not in this assembly.");
        using var reader = new StreamReader(new GZipStream(resource, CompressionMode.Decompress));
        var features = new List<float>();
        var labels = new List<int>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(',');
            features.AddRange(cells.Take(FeatureCount).Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)));
            labels.Add(int.Parse(cells[FeatureCount], CultureInfo.InvariantCulture));
        }

        return new Dataset([.. features], FeatureCount, [.. labels], ClassCount);
    }
}
