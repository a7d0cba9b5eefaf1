namespace Orleans.Joblib.Silo;

/// <summary>Whether work should be sent here.</summary>
internal sealed class SiloHealth
{
    private volatile bool _ready;

    /// <summary>The silo has joined its cluster and does not drain.</summary>
    internal bool IsReady
    {
        get => _ready;
        set => _ready = value;
    }
}
