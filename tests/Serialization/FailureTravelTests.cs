using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Exceptions come back as what they are, or as what is left of them.</summary>
public sealed class FailureTravelTests
{
    [Fact]
    public void UsersException_KeepsEverything()
    {
        var thrown = Thrown(() => Fail(7));
        var failure = new CallFailure(12, "Fail(7)", thrown.StackTrace, "host/1/w");
        var copy = Assert.IsType<BusinessException>(Travel.CopyFailure(thrown, failure));
        Assert.Equal((thrown.Message, thrown.HResult, 7, "open"), (copy.Message, copy.HResult, copy.Code, copy.State));
        Assert.Equal(failure, copy.GetCallFailure());
        Assert.Contains(nameof(Fail), copy.StackTrace, StringComparison.Ordinal);
        Assert.Equal("yes", copy.Data["travels"]);
        Assert.False(copy.Data.Contains("thread"));
        var inner = Assert.IsType<ArgumentOutOfRangeException>(copy.InnerException);
        Assert.Equal(("code", 5, thrown.InnerException!.Message), (inner.ParamName, inner.ActualValue, inner.Message));
        var again = Assert.Throws<BusinessException>(new Action(() => throw copy));
        Assert.Contains(nameof(Fail), again.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public void AggregateException_KeepsItsParts()
    {
        var copy = Assert.IsType<AggregateException>(Travel.CopyFailure(new AggregateException("both", new InvalidOperationException("a"), new BusinessException(1, "s"))));
        Assert.Equal(["a", "code 1"], copy.InnerExceptions.Select(inner => inner.Message));
        Assert.Same(copy.InnerExceptions[0], copy.InnerException);
    }

    [Fact]
    public void ExceptionThatCannotTravel_IsReplacedByItsWords()
    {
        var thrown = Thrown(() => throw new HoldsAThread("bound here", new InvalidOperationException("inner")));
        var copy = Assert.IsType<RemoteCallException>(Travel.CopyFailure(thrown));
        Assert.Equal(typeof(HoldsAThread).FullName, copy.TypeName);
        Assert.Contains("bound here", copy.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(ExceptionThatCannotTravel_IsReplacedByItsWords), copy.RemoteStackTrace, StringComparison.Ordinal);
        Assert.Equal("inner", Assert.IsType<InvalidOperationException>(copy.InnerException).Message);
    }

    [Fact]
    public void ExceptionOfAnUnknownType_IsReplacedByItsWords()
    {
        var payload = new PayloadEncoder(new LoadedCode()).EncodeFailure(Thrown(() => Fail(3)), null);
        var copy = Assert.IsType<RemoteCallException>(new PayloadDecoder(new NoCode()).DecodeFailure(payload));
        Assert.Equal(typeof(BusinessException).FullName, copy.TypeName);
        Assert.Contains("code 3", copy.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(Fail), copy.RemoteStackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public void Outcomes_InResults_Travel()
    {
        CallOutcome<int>[] outcomes = [new(5), new(Thrown(() => Fail(9)), new CallFailure(3, "Fail(9)", null, "w"))];
        var copies = Travel.CopyAll(outcomes);
        Assert.Equal((true, 5), (copies[0].IsSuccess, copies[0].Value));
        Assert.Equal(9, Assert.IsType<BusinessException>(copies[1].Exception).Code);
        Assert.Equal(outcomes[1].Failure, copies[1].Failure);
        Assert.Throws<BusinessException>(() => copies[1].Value);
    }

    [Fact]
    public void FrameworkExceptions_Travel()
    {
        Exception[] all =
        [
            new FileNotFoundException("gone", "a.txt"), new ObjectDisposedException("thing"), new System.Net.Sockets.SocketException(10061), new KeyNotFoundException(),
            new TaskCanceledException(), new OperationCanceledException("stop"), new DivideByZeroException(), new TimeoutException("late"), new JoblibException("j"),
            new NotSupportedException(null), new IndexOutOfRangeException(), new System.Text.Json.JsonException("bad", "$.x", 1, 2), new HttpRequestException("h"),
        ];
        foreach (var exception in all)
        {
            var copy = Travel.CopyFailure(exception);
            Assert.Equal((exception.GetType(), exception.Message, exception.HResult), (copy.GetType(), copy.Message, copy.HResult));
        }
    }

    [Fact]
    public void CyclicException_EndsAtSomePoint()
    {
        var exception = new SelfReferring();
        exception.Self = exception;
        var copy = Assert.IsType<SelfReferring>(Travel.CopyFailure(exception));
        Assert.Same(copy, copy.Self);
    }

    private static Exception Thrown(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            return exception;
        }

        throw new InvalidOperationException("Nothing was thrown.");
    }

    private static void Fail(int code)
    {
        var exception = new BusinessException(code, "open", new ArgumentOutOfRangeException(nameof(code), 5, "no"));
        exception.Data["travels"] = "yes";
        exception.Data["thread"] = Thread.CurrentThread;
        throw exception;
    }

    private sealed class NoCode : ICodeResolver
    {
        public System.Reflection.Assembly Resolve(string name, Guid mvid) => throw new JoblibException($"'{name}' is not here.");
    }

    private sealed class BusinessException(int code, string state, Exception? inner = null) : Exception(null, inner)
    {
        public int Code => code;

        public string State { get; } = state;

        public override string Message => $"code {code}";
    }

    private sealed class HoldsAThread(string message, Exception inner) : Exception(message, inner)
    {
        public Thread Thread { get; } = Thread.CurrentThread;
    }

    private sealed class SelfReferring : Exception
    {
        public SelfReferring? Self { get; set; }
    }
}
