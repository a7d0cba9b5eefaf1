namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>The digits as rows with labels.</summary>
internal static class Digits
{
    private const int ClassCount = 10;

    public static Dataset Load()
    {
        var (pixels, labels) = DigitsFile.Read();
        return new Dataset(pixels, DigitsFile.Pixels, labels, ClassCount);
    }
}
