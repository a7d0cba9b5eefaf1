namespace Orleans.Joblib;

/// <summary>A <see cref="CallOutcome{T}"/> of whatever type.</summary>
internal interface ICallOutcome
{
    bool IsSuccess { get; }
}
