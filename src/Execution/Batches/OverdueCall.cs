namespace Orleans.Joblib;

/// <summary>A call that overran its timeout.</summary>
/// <param name="Part">The batch, or part of one, that was abandoned because of it.</param>
/// <param name="Index">The call's place in the user's sequence.</param>
/// <param name="Call">The call as text.</param>
/// <param name="Offset">The call's place in its root's arrays.</param>
internal sealed record OverdueCall<T>(CallBatch<T> Part, long Index, string Call, int Offset);
