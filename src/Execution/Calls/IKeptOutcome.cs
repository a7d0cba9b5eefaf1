namespace Orleans.Joblib;

/// <summary>What a call's outcome says whatever the call returns.</summary>
internal interface IKeptOutcome
{
    bool IsSuccess { get; }
}
