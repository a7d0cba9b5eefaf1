namespace Orleans.Joblib.Tests;

internal static class TestExtensions
{
    internal static int CountLetters(this string text) => text.Length;
}
