namespace Orleans.Joblib;

/// <summary>The names to give an OpenTelemetry provider: <c>AddSource(JoblibTelemetry.ActivitySourceName)</c>, <c>AddMeter(JoblibTelemetry.MeterName)</c>.</summary>
public static class JoblibTelemetry
{
    /// <summary>Spans: <c>joblib.run</c>, its children <c>joblib.coordinate</c> where slots are granted and <c>joblib.batch</c> at the caller, and that one's child <c>joblib.execute</c> where the batch ran.</summary>
    public const string ActivitySourceName = "Orleans.Joblib";

    /// <summary>Metrics: see docs/operations.md for names, units and meanings.</summary>
    public const string MeterName = "Orleans.Joblib";
}
