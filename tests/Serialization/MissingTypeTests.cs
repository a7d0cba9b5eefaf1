using System.Reflection;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>A payload names a type that the build on the far side does not have.</summary>
public sealed class MissingTypeTests
{
    [Fact]
    public void Decode_TypeThatTheFarSideLacks_IsNamed()
    {
        var payload = Travel.EncodeResults<object>(new ValueTravelTests.Person("Ada", 36));
        var exception = Assert.Throws<JoblibException>(() => new PayloadDecoder(new OtherBuild()).DecodeResults(payload, new object[1].AsSpan()));
        Assert.Equal("docs/errors.md#missing-code", exception.HelpLink);
        Assert.Contains(typeof(ValueTravelTests.Person).FullName!, exception.Message, StringComparison.Ordinal);
        Assert.Contains("Run the same versions", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Has an assembly for every name, but not that one's types.</summary>
    private sealed class OtherBuild : ICodeResolver
    {
        public Assembly Resolve(string name, Guid mvid) => typeof(FactAttribute).Assembly;
    }
}
