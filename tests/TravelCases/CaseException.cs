namespace TravelCases;

public sealed class CaseException(int code) : Exception($"case {code}")
{
    public int Code => code;
}
