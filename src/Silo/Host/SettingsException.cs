namespace Orleans.Joblib.Silo;

/// <summary>The settings do not make a silo.</summary>
#pragma warning disable CA1032 // Thrown and caught in this program only, always with its faults.
internal sealed class SettingsException(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    internal IReadOnlyList<string> Faults => faults;
}
