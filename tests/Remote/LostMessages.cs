namespace Orleans.Joblib.Tests.Remote;

/// <summary>Loses messages as a gateway does that dies with them: whoever waits for an answer waits in vain. In a client or in a silo, as no real fault hits one message only.</summary>
/// <param name="interfaceType">The grain interface.</param>
/// <param name="method">Its method.</param>
/// <param name="arrive">Whether the message arrives, and only its answer is lost.</param>
/// <param name="most">How many are lost.</param>
internal sealed class LostMessages(Type interfaceType, string method, bool arrive, int most = 1) : IOutgoingGrainCallFilter, IIncomingGrainCallFilter, IDisposable
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lost;

    internal int Lost => Math.Min(Volatile.Read(ref _lost), most);

    public Task Invoke(IOutgoingGrainCallContext context) => InvokeAsync(context);

    public Task Invoke(IIncomingGrainCallContext context) => InvokeAsync(context);

    /// <summary>Lets a silo that still executes such a call go.</summary>
    public void Dispose() => _over.TrySetResult();

    private async Task InvokeAsync(IGrainCallContext context)
    {
        if (context.InterfaceMethod.DeclaringType != interfaceType || context.InterfaceMethod.Name != method || Interlocked.Increment(ref _lost) > most)
        {
            await context.Invoke();
            return;
        }

        if (arrive)
        {
            await context.Invoke();
        }

        await _over.Task;
    }
}
