namespace Orleans.Joblib.Tests;

/// <summary>A type without attributes, for which a converter speaks.</summary>
public sealed class Foreign(string text)
{
    public string Text => text;
}
