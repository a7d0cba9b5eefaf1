namespace Orleans.Joblib;

/// <summary>A granted slot as the client sees it.</summary>
internal sealed record Slot(SlotGrant Grant, IBatchGrain Grain);
