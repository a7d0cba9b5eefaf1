using System.Globalization;
using System.IO.Compression;

namespace Orleans.Joblib.Samples;

/// <summary>The UCI handwritten digits (see data/SOURCE.md), 1,797 images of 8 × 8. Also compiled into ../SharedArrays.</summary>
internal static class DigitsFile
{
    public const int Pixels = 64;

    /// <summary>All pixels, image by image, 0 to 16; and what each image shows.</summary>
    public static (float[] Pixels, int[] Labels) Read()
    {
        using var resource = typeof(DigitsFile).Assembly.GetManifestResourceStream("digits.csv.gz")
            ?? throw new InvalidOperationException("The resource 'digits.csv.gz' is not in this assembly.");
        using var reader = new StreamReader(new GZipStream(resource, CompressionMode.Decompress));
        var pixels = new List<float>();
        var labels = new List<int>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(',');
            pixels.AddRange(cells.Take(Pixels).Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)));
            labels.Add(int.Parse(cells[Pixels], CultureInfo.InvariantCulture));
        }

        return ([.. pixels], [.. labels]);
    }
}
