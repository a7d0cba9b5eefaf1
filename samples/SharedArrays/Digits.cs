namespace Orleans.Joblib.Samples.SharedArrays;

/// <summary>The UCI handwritten digits of ../GridSearch, over and over, each time a little different.</summary>
internal static class Digits
{
    public const int Pixels = DigitsFile.Pixels;

    private const float Noise = 1.5f;
    private const int Seed = 0;

    /// <summary>As many images as fit into so many bytes, row by row.</summary>
    public static float[] Replicated(long bytes)
    {
        var (originals, _) = DigitsFile.Read();
        var images = new float[Math.Max(originals.Length, bytes / sizeof(float) / Pixels * Pixels)];
        var random = new Random(Seed);

        // A table of noise, read from another place each time: making it anew for a gibibyte would take longer than the clustering.
        var noise = new float[65_521];
        for (var i = 0; i < noise.Length; i++)
        {
            noise[i] = Noise * (random.NextSingle() - 0.5f);
        }

        for (var i = 0; i < images.Length; i++)
        {
            images[i] = originals[i % originals.Length] + noise[i % noise.Length];
        }

        return images;
    }
}
